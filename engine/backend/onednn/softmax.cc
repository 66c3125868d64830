#include "engine/backend/onednn/own/softmax.h"

#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/threads.h"

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
  const int threads = KernelThreads();
  prepared.kernel = MakeOwnKernelOf(context.dtype(), [&]<typename T>(T) {
    const size_t part_bytes = own::SoftmaxScratchBytes<T>(shape);
    prepared.scratch_bytes = static_cast<size_t>(threads) * part_bytes;
    return [run = own::SelectSoftmax<T>(isa), shape, threads,
            part_floats = static_cast<int64_t>(part_bytes / sizeof(float))](
               const T* src_data, T* dst_data, float* scratch) {
      ForEachPart(threads, shape.outer, 1, [&](int64_t begin, int64_t end, int part) {
        own::SoftmaxShape rows = shape;
        rows.outer = end - begin;
        const int64_t offset = begin * shape.size * shape.inner;
        run(rows, src_data + offset, dst_data + offset, scratch + part * part_floats);
      });
    };
  });
  return prepared;
}

}  // namespace lazynet::backend
