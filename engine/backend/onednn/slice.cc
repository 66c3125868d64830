#include <algorithm>
#include <optional>
#include <utility>

#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/strided_copy.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;

// A slice as a slice of what lies in memory.
struct MemorySlice {
  Shape src;
  Shape dst;
  AxisVector begin;
  AxisVector step;
};

// Nothing when the slice cuts through blocks of channels.
std::optional<MemorySlice> SliceOfMemory(const Slice& op, const memory::desc& src,
                                         const memory::dims& dst_dims) {
  const std::optional<ChannelBlocks> blocks = ChannelBlocksOf(src);
  if (!blocks) return std::nullopt;
  const memory::dims src_dims = src.dims();
  const size_t rank = src_dims.size();
  MemorySlice slice{.src = MemoryShape(*blocks, src_dims),
                    .dst = {},
                    .begin = AxisVector(rank + 1, 0),
                    .step = AxisVector(rank + 1, 1)};
  slice.dst = slice.src;
  for (size_t axis = 0; axis < rank; ++axis) {
    const int64_t step = op.step.empty() ? 1 : op.step[axis];
    const int64_t begin = op.begin[axis];
    if (begin == 0 && step == 1 && dst_dims[axis] == src_dims[axis]) continue;
    const auto at = MemoryAxis(src, *blocks, axis);
    int64_t size = dst_dims[axis];
    int64_t first = begin;
    if (axis == 1 && IsBlocked(src)) {
      if (step != 1 || begin % blocks->block != 0 || size % blocks->block != 0) {
        return std::nullopt;
      }
      first = begin / blocks->block;
      size /= blocks->block;
    }
    slice.begin[at] = first;
    slice.step[at] = step;
    slice.dst.set_dim(static_cast<int>(at), size);
  }
  return slice;
}

}  // namespace

// Copies in the layout that src has; dense values need no more than the fallback.
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Slice& op) {
  const memory::dims dst_dims = context.dst_dims();
  if (context.is_constant(0) || dst_dims.size() < 3) return context.Fallback();
  memory::desc src = context.src_desc(0);
  if (IsDense(src)) return context.Fallback();
  std::optional<MemorySlice> slice = SliceOfMemory(op, src, dst_dims);
  if (!slice) {
    src = AxisLastDesc(src.dims(), 1, context.type());
    slice = SliceOfMemory(op, src, dst_dims);
  }
  PreparedOp prepared;
  prepared.src_layouts = {MakeLayout(src)};
  prepared.dst_layout = MakeLayout(DescLike(src, dst_dims));
  prepared.implementation = "own:copy";
  const SliceCopy copy(slice->src, slice->begin, slice->step, slice->dst, SizeOf(context.dtype()));
  prepared.kernel = MakeOwnKernel<std::byte>([copy](const std::byte* src_data, std::byte* dst_data,
                                                    float*) { copy.Run(src_data, dst_data); });
  return prepared;
}

}  // namespace lazynet::backend
