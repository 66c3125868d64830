#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const LocalResponseNormalization& op) {
  const auto dims = context.dst_dims();
  // oneDNN's window is symmetric, and its fast kernels are of images.
  if (op.size % 2 == 0 || dims.size() < 3 || dims.size() > 5) return context.Fallback();
  // Of plain layouts it has the channels-last one only.
  const dnnl::memory::desc src = AxisLastDesc(dims, 1, context.type());
  const dnnl::lrn_forward::primitive_desc desc(
      {dnnl::prop_kind::forward_inference, dnnl::algorithm::lrn_across_channels, src, op.size,
       static_cast<float>(op.alpha), static_cast<float>(op.beta), static_cast<float>(op.k)},
      UserScratchpad(), CpuEngine());
  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, src));
  arguments.push_back({DNNL_ARG_DST, desc.dst_desc(), Argument::kDst, nullptr});
  return Prepared(context, desc, dnnl::lrn_forward(desc), std::move(arguments));
}

}  // namespace lazynet::backend
