#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Permute& op) {
  // A scalar has no axes, but one for oneDNN.
  if (context.is_constant(0) || op.order.empty()) return context.Fallback();
  const dnnl::memory::desc src = context.src_desc(0);
  std::vector<int> places(op.order.size());  // per axis of src, the axis of dst
  for (size_t i = 0; i < places.size(); ++i) {
    places[static_cast<size_t>(op.order[i])] = static_cast<int>(i);
  }
  const dnnl::memory::desc permuted = src.permute_axes(places);
  const dnnl::memory::desc dst = DenseDesc(context.dst_dims(), src.data_type());
  const dnnl::reorder::primitive_desc desc(CpuEngine(), permuted, CpuEngine(), dst,
                                           UserScratchpad());
  PreparedOp prepared = Prepared(
      context, desc, dnnl::reorder(desc),
      {{DNNL_ARG_FROM, permuted, 0, nullptr}, {DNNL_ARG_TO, dst, Argument::kDst, nullptr}});
  prepared.src_layouts[0] = MakeLayout(src);
  return prepared;
}

}  // namespace lazynet::backend
