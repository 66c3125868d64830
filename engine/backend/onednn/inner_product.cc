#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const InnerProduct&) {
  if (!context.ConstantsFrom(1)) return context.Fallback();
  const auto weights_dims = context.src_dims(1);
  const auto src = DenseDesc(context.src_dims(0), context.type());
  const auto dst = DenseDesc(context.dst_dims(), context.dst_type());
  const auto bias = context.has(2) ? DenseDesc({weights_dims[0]}) : dnnl::memory::desc();
  const dnnl::primitive_attr attributes = AttributesOf(context);
  const auto describe = [&](const dnnl::memory::desc& weights) {
    return dnnl::inner_product_forward::primitive_desc(
        {dnnl::prop_kind::forward_inference, src, weights, bias, dst}, attributes, CpuEngine());
  };
  auto desc = describe(AnyDesc(weights_dims, context.type()));
  if (IsSlowBf16(context, desc.impl_info_str())) return context.Fallback();
  // Without AVX512 the library wants either plain layout, by the batch size; one serves all.
  if (IsGemm(desc.impl_info_str())) {
    desc = describe(AxisLastDesc(weights_dims, 0, context.type()));
  }

  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, src));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   context.SrcArgument(DNNL_ARG_WEIGHTS, 1, desc.weights_desc()));
  if (context.has(2)) {
    ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_BIAS, 2, bias));
  }
  arguments.push_back({DNNL_ARG_DST, dst, Argument::kDst, nullptr});
  PreparedOp prepared =
      Prepared(context, desc, dnnl::inner_product_forward(desc), std::move(arguments));
  SetPostOperands(context, prepared);
  return prepared;
}

}  // namespace lazynet::backend
