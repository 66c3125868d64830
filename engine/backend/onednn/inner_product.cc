#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const InnerProduct&) {
  if (!context.ConstantsFrom(1)) return context.Fallback();
  const auto weights_dims = context.src_dims(1);
  const auto src = DenseDesc(context.src_dims(0));
  const auto dst = DenseDesc(context.dst_dims());
  const auto bias = context.has(2) ? DenseDesc({weights_dims[0]}) : dnnl::memory::desc();
  const dnnl::inner_product_forward::primitive_desc desc(
      {dnnl::prop_kind::forward_inference, src, AnyDesc(weights_dims), bias, dst}, UserScratchpad(),
      CpuEngine());

  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, src));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   context.SrcArgument(DNNL_ARG_WEIGHTS, 1, desc.weights_desc()));
  if (context.has(2)) {
    ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_BIAS, 2, bias));
  }
  arguments.push_back({DNNL_ARG_DST, dst, Argument::kDst, nullptr});
  return Prepared(context, desc, dnnl::inner_product_forward(desc), std::move(arguments));
}

}  // namespace lazynet::backend
