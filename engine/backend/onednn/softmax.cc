#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Softmax& op) {
  const auto describe = [&](const dnnl::memory::desc& src) {
    return dnnl::softmax_v2_forward::primitive_desc(
        {dnnl::prop_kind::forward_inference,
         op.log ? dnnl::algorithm::softmax_log : dnnl::algorithm::softmax_accurate, src, src,
         op.axis},
        UserScratchpad(), CpuEngine());
  };
  auto src = context.src_desc(0);
  auto desc = describe(src);
  if (IsReference(desc.impl_info_str())) {
    // Over an axis that strides through memory oneDNN has plain loops only; two copies cost less.
    src = AxisLastDesc(src.dims(), op.axis);
    desc = describe(src);
  }
  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, src));
  arguments.push_back({DNNL_ARG_DST, src, Argument::kDst, nullptr});
  PreparedOp prepared =
      Prepared(context, desc, dnnl::softmax_v2_forward(desc), std::move(arguments));
  prepared.in_place = !context.is_constant(0);
  return prepared;
}

}  // namespace lazynet::backend
