#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Prelu&) {
  if (!context.is_constant(1)) return context.Fallback();
  if (context.src(1).shape.num_elements() == 1) {
    ASSIGN_OR_RETURN(const Tensor slope, context.MakeConstant(1));
    return PrepareLeakyRelu(context, slope.values<float>()[0]);
  }
  // oneDNN has no other of a higher rank.
  if (context.src(0).shape.rank() > 5) return context.Fallback();
  auto src = context.src_desc(0);
  const auto dims = src.dims();
  dnnl::memory::dims slope_dims(dims.size(), 1);
  slope_dims[1] = dims[1];
  const auto describe = [&] {
    return dnnl::prelu_forward::primitive_desc(
        {dnnl::prop_kind::forward_inference, src, AnyDesc(slope_dims)}, UserScratchpad(),
        CpuEngine());
  };
  auto desc = describe();
  if (IsReference(desc.impl_info_str())) {
    src = AxisLastDesc(dims, 1, context.type());
    desc = describe();
  }
  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, src));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   context.SrcArgument(DNNL_ARG_WEIGHTS, 1, desc.weights_desc()));
  arguments.push_back({DNNL_ARG_DST, desc.dst_desc(), Argument::kDst, nullptr});
  return Prepared(context, desc, dnnl::prelu_forward(desc), std::move(arguments));
}

}  // namespace lazynet::backend
