#include <optional>
#include <utility>

#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/padded_copy.h"

namespace lazynet::backend {

using dnnl::memory;

// Copies in the layout that src has; dense values need no more than the fallback.
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Pad& op) {
  const memory::dims dst_dims = context.dst_dims();
  if (context.is_constant(0) || dst_dims.size() < 3) return context.Fallback();
  memory::desc src = context.src_desc(0);
  if (IsDense(src)) return context.Fallback();
  const bool pads_channels = op.before[1] != 0 || op.after[1] != 0;
  std::optional<ChannelBlocks> blocks = ChannelBlocksOf(src);
  // What is not zero must not come to lie in the padding of blocks.
  const bool writes_padding = HasPadding(src) && op.mode == Pad::Mode::kConstant && op.value != 0;
  if (!blocks || writes_padding || (pads_channels && IsBlocked(src))) {
    src = AxisLastDesc(src.dims(), 1, context.type());
    blocks = ChannelBlocksOf(src);
  }
  const size_t rank = dst_dims.size();
  // Of one channel the strides of src do not say that channels come last.
  const memory::desc dst =
      IsBlocked(src) ? DescLike(src, dst_dims) : AxisLastDesc(dst_dims, 1, context.type());
  Pad pad{.mode = op.mode,
          .before = AxisVector(rank + 1, 0),
          .after = AxisVector(rank + 1, 0),
          .value = op.value};
  const Shape src_shape = MemoryShape(*blocks, src.dims());
  Shape dst_shape = src_shape;
  for (size_t axis = 0; axis < rank; ++axis) {
    const size_t at = MemoryAxis(src, *blocks, axis);
    pad.before[at] = op.before[axis];
    pad.after[at] = op.after[axis];
    const int place = static_cast<int>(at);
    dst_shape.set_dim(place, src_shape.dim(place) + op.before[axis] + op.after[axis]);
  }
  PreparedOp prepared;
  prepared.src_layouts = {MakeLayout(src)};
  prepared.dst_layout = MakeLayout(dst);
  prepared.implementation = "own:copy";
  prepared.kernel =
      MakeOwnKernel<std::byte>([copy = PaddedCopy(pad, src_shape, dst_shape, context.dtype())](
                                   const std::byte* src_data, std::byte* dst_data, float*) {
        copy.Run(src_data, dst_data);
      });
  return prepared;
}

}  // namespace lazynet::backend
