#include "engine/backend/onednn/own/softmax.h"

#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

// Whether the elements lie without gaps, `axis` apart from the blocks and none of them padding, so
// that the memory is [outer, size of the axis, its stride].
bool IsSequence(const dnnl::memory::desc& desc, int axis) {
  const dnnl_blocking_desc_t& blocking = desc.data.format_desc.blocking;
  for (int i = 0; i < blocking.inner_nblks; ++i) {
    if (blocking.inner_idxs[i] == axis) return false;
  }
  return !HasPadding(desc);
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Softmax& op) {
  if (context.is_constant(0)) return context.Fallback();
  dnnl::memory::desc src = context.src_desc(0);
  if (!IsSequence(src, op.axis)) src = DenseDesc(src.dims(), context.type());
  own::SoftmaxShape shape;
  shape.size = src.dims()[static_cast<size_t>(op.axis)];
  // With one element per row it does not matter where the rows end; strides may say anything.
  shape.inner = shape.size == 1 ? 1 : src.data.format_desc.blocking.strides[op.axis];
  shape.outer = static_cast<int64_t>(ElementCount(src)) / (shape.size * shape.inner);
  shape.log = op.log;

  const own::Isa isa = own::DetectIsa();
  PreparedOp prepared;
  prepared.src_layouts = {MakeLayout(src)};
  prepared.dst_layout = prepared.src_layouts[0];
  prepared.in_place = true;
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel = MakeOwnKernelOf(context.dtype(), [&]<typename T>(T) {
    prepared.scratch_bytes = own::SoftmaxScratchBytes<T>(shape);
    return
        [run = own::SelectSoftmax<T>(isa), shape](const T* src_data, T* dst_data, float* scratch) {
          run(shape, src_data, dst_data, scratch);
        };
  });
  return prepared;
}

}  // namespace lazynet::backend
