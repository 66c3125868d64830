#include <algorithm>
#include <optional>
#include <string_view>

#include "engine/backend/onednn/own/isa.h"
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

dnnl::convolution_forward::desc Descriptor(
    const OpContext& context, const Geometry& geometry, const memory::desc& src,
    const memory::desc& dst, dnnl::algorithm algorithm = dnnl::algorithm::convolution_direct) {
  const auto bias = context.has(2) ? DenseDesc({geometry.dst[1]}) : memory::desc();
  return {dnnl::prop_kind::forward_inference,
          algorithm,
          src,
          AnyDesc(geometry.weights, context.type()),
          bias,
          dst,
          geometry.strides,
          geometry.dilates,
          geometry.padding_l,
          geometry.padding_r};
}

// For an image so small that brgconv's many calls of its kernel cost more than they compute, the
// older jit kernel is 1.3-1.8 times as fast, of BF16 1.1-1.6 times up to larger ones. Which one
// serves an image does not depend on how many there are, as the weights are packed for it.
constexpr double kSmallImageFlops = 0.5e6;
constexpr double kSmallBf16ImageFlops = 4e6;

bool IsSmall(const OpContext& context, const Geometry& geometry) {
  const auto product = [](const memory::dims& dims, size_t begin) {
    double elements = 1;
    for (size_t i = begin; i < dims.size(); ++i) elements *= static_cast<double>(dims[i]);
    return elements;
  };
  const size_t spatial = geometry.src.size() - 2;
  const double window = product(geometry.weights, geometry.weights.size() - spatial);
  const double channels =
      static_cast<double>(geometry.weights[geometry.weights.size() - spatial - 1]);
  const double flops = 2 * product(geometry.dst, 1) * channels * window;
  const bool bf16 = context.dtype() == DType::kBf16;
  return window > 1 && flops < (bf16 ? kSmallBf16ImageFlops : kSmallImageFlops);
}

// The jit kernel for channels-last, if there is one.
std::optional<PrimitiveDesc> DescribeJit(const OpContext& context, const Geometry& geometry) {
  // Looking for the next kernel reads the descriptor again.
  const auto descriptor =
      Descriptor(context, geometry, AxisLastDesc(geometry.src, 1, context.type()),
                 AxisLastDesc(geometry.dst, 1, context.dst_type()));
  PrimitiveDesc desc(descriptor, AttributesOf(context), CpuEngine());
  do {
    const std::string_view name = desc.impl_info_str();
    if (name.starts_with("jit:") || name.starts_with("jit_bf16:")) return desc;
  } while (desc.next_impl());
  return std::nullopt;
}

// The kernel by Winograd's algorithm, if there is one for this geometry.
std::optional<PrimitiveDesc> DescribeWinograd(const OpContext& context, const Geometry& geometry) {
  const auto descriptor = Descriptor(context, geometry, AnyDesc(geometry.src),
                                     AnyDesc(geometry.dst), dnnl::algorithm::convolution_winograd);
  PrimitiveDesc desc(descriptor, AttributesOf(context), CpuEngine(), /*allow_empty=*/true);
  if (!desc) return std::nullopt;
  return desc;
}

PrimitiveDesc Best(const OpContext& context, const Convolution& op, const Geometry& geometry) {
  if (op.winograd) {
    if (auto winograd = DescribeWinograd(context, geometry)) return *std::move(winograd);
  }
  const dnnl::primitive_attr attributes = AttributesOf(context);
  const auto describe = [&](const memory::desc& src, const memory::desc& dst) {
    return PrimitiveDesc(Descriptor(context, geometry, src, dst), attributes, CpuEngine());
  };
  const PrimitiveDesc best = BestConvolution(context, geometry.src, geometry.dst, describe);
  if (std::string_view(best.impl_info_str()).starts_with("brgconv:") &&
      IsSmall(context, geometry)) {
    return DescribeJit(context, geometry).value_or(best);
  }
  return best;
}

// Sides of dst from which on Winograd's algorithm is faster by a third or more: below, the last
// tile is mostly beyond the image, and the transformed weights are 1.8 or 4 times as many.
constexpr int64_t kWinogradSide = 10;

// oneDNN's kernels take blocks of so many channels.
constexpr int64_t kWinogradChannels = 16;

}  // namespace

bool IsFastByWinograd(const Graph& graph, const Op& op, const Convolution& convolution) {
  const Value& src = graph.value(op.inputs[0]);
  const Value& weights = graph.value(op.inputs[1]);
  const Value& dst = graph.value(op.result());
  if (own::DetectIsa() != own::Isa::kAvx512 || !weights.is_constant()) return false;
  if (src.dtype != DType::kFp32 || dst.dtype != DType::kFp32 || src.shape.rank() != 4) return false;
  const AxisVector ones{1, 1};
  return src.shape.dim(1) % kWinogradChannels == 0 && dst.shape.dim(1) % kWinogradChannels == 0 &&
         weights.shape.dim(2) == 3 && weights.shape.dim(3) == 3 && convolution.groups == 1 &&
         convolution.strides == ones && convolution.dilations == ones &&
         std::min(dst.shape.dim(2), dst.shape.dim(3)) >= kWinogradSide;
}

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Convolution& op) {
  if (!context.ConstantsFrom(1)) return context.Fallback();
  Geometry geometry = GeometryOf(context, op);
  const bool depthwise_1d = IsDepthwise1d(geometry);
  if (depthwise_1d) AddHeight(geometry);
  const PrimitiveDesc desc = Best(context, op, geometry);
  if (IsSlowBf16(context, desc.impl_info_str())) return context.Fallback();

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
