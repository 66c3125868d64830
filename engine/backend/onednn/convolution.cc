#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;
using PrimitiveDesc = dnnl::convolution_forward::primitive_desc;

// The op with dims as oneDNN wants them.
struct Geometry {
  memory::dims src, weights, dst;
  memory::dims strides, dilates, padding_l, padding_r;
};

Geometry GeometryOf(const OpContext& context, const Convolution& op) {
  Geometry geometry{context.src_dims(0), context.src_dims(1),  context.dst_dims(),
                    DimsOf(op.strides),  DimsOf(op.dilations), DimsOf(op.padding_l),
                    DimsOf(op.padding_r)};
  for (memory::dim& dilate : geometry.dilates) dilate -= 1;
  if (op.groups > 1) {
    geometry.weights[0] /= op.groups;
    geometry.weights.insert(geometry.weights.begin(), op.groups);
  }
  return geometry;
}

// oneDNN's fast depthwise kernels are two-dimensional.
bool IsDepthwise1d(const Geometry& geometry) {
  return geometry.weights.size() == 4 && geometry.src.size() == 3 && geometry.weights[1] == 1 &&
         geometry.weights[2] == 1;
}

void AddHeight(Geometry& geometry) {
  for (memory::dims* dims : {&geometry.src, &geometry.dst}) dims->insert(dims->begin() + 2, 1);
  geometry.weights.insert(geometry.weights.begin() + 3, 1);
  geometry.strides.insert(geometry.strides.begin(), 1);
  for (memory::dims* dims : {&geometry.dilates, &geometry.padding_l, &geometry.padding_r}) {
    dims->insert(dims->begin(), 0);
  }
}

PrimitiveDesc Describe(const OpContext& context, const Geometry& geometry, const memory::desc& src,
                       const memory::desc& dst) {
  dnnl::primitive_attr attributes = UserScratchpad();
  AppendPostOps(context, attributes);
  const auto bias = context.has(2) ? DenseDesc({geometry.dst[1]}) : memory::desc();
  return PrimitiveDesc({dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                        src, AnyDesc(geometry.weights), bias, dst, geometry.strides,
                        geometry.dilates, geometry.padding_l, geometry.padding_r},
                       attributes, CpuEngine());
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Convolution& op) {
  if (!context.ConstantsFrom(1)) return context.Fallback();
  Geometry geometry = GeometryOf(context, op);
  const bool depthwise_1d = IsDepthwise1d(geometry);
  if (depthwise_1d) AddHeight(geometry);
  const PrimitiveDesc desc = BestConvolution(
      geometry.src, geometry.dst,
      [&](const auto& src, const auto& dst) { return Describe(context, geometry, src, dst); });

  // A layout belongs to the value, so it has the value's rank.
  const auto of_value = [&](const memory::desc& layout) {
    return depthwise_1d ? RemoveAxis(layout, 2) : layout;
  };
  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, desc.src_desc()));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   context.SrcArgument(DNNL_ARG_WEIGHTS, 1, desc.weights_desc()));
  if (context.has(2)) {
    ASSIGN_OR_RETURN(arguments.emplace_back(),
                     context.SrcArgument(DNNL_ARG_BIAS, 2, desc.bias_desc()));
  }
  arguments.push_back({DNNL_ARG_DST, desc.dst_desc(), Argument::kDst, nullptr});
  PreparedOp prepared =
      Prepared(context, desc, dnnl::convolution_forward(desc), std::move(arguments));
  prepared.src_layouts[0] = MakeLayout(of_value(desc.src_desc()));
  prepared.dst_layout = MakeLayout(of_value(desc.dst_desc()));
  SetPostOperands(context, prepared);
  return prepared;
}

}  // namespace lazynet::backend
