#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "engine/backend/onednn/own/window_pooling.h"
#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/threads.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;
using own::WindowAxis;
using own::WindowPooling;

WindowAxis AxisOf(const Pooling& op, size_t axis, int64_t src_size, int64_t dst_size) {
  WindowAxis result;
  result.src_size = src_size;
  result.step = op.dilations[axis];
  result.stride = op.strides[axis];
  result.padding = op.padding[axis];
  result.kernel = op.kernel[axis];
  for (int64_t i = 0; i < dst_size; ++i) {
    const int64_t begin = i * result.stride - result.padding;
    const int64_t skipped = begin < 0 ? (-begin + result.step - 1) / result.step : 0;
    const int64_t first = begin + skipped * result.step;
    const int64_t inside = first < src_size ? (src_size - 1 - first) / result.step + 1 : 0;
    const int64_t count =
        std::clamp<int64_t>(inside, 0, std::max<int64_t>(result.kernel - skipped, 0));
    const int64_t padded = std::min(begin + result.kernel, src_size + result.padding) - begin;
    const int64_t divisor = op.count_include_pad ? padded : count;
    result.windows.push_back({count > 0 ? first : 0, count, std::max<int64_t>(divisor, 1)});
  }
  return result;
}

WindowAxis AdaptiveAxis(int64_t src_size, int64_t dst_size) {
  WindowAxis result;
  result.src_size = src_size;
  for (int64_t i = 0; i < dst_size; ++i) {
    const int64_t begin = i * src_size / dst_size;
    const int64_t count = ((i + 1) * src_size + dst_size - 1) / dst_size - begin;
    result.windows.push_back({begin, count, count});
  }
  return result;
}

bool HasEmptyWindow(const WindowPooling& pooling) {
  return std::any_of(pooling.axes.begin(), pooling.axes.end(), [](const WindowAxis& axis) {
    return std::any_of(axis.windows.begin(), axis.windows.end(),
                       [](const WindowAxis::Window& window) { return window.count == 0; });
  });
}

// What a thread does, and where in src and dst that begins.
struct PoolingPart {
  WindowPooling pooling;
  int64_t src_offset = 0;
  int64_t dst_offset = 0;
};

// Parts of the outer axis or, where that is 1, of the rows of dst: a window's rows are where they
// were.
std::vector<PoolingPart> PartsOf(WindowPooling pooling, int threads) {
  const auto& [depth, height, width] = pooling.axes;
  const bool by_outer = pooling.outer > 1;
  const auto rows = static_cast<int64_t>(height.windows.size());
  const int64_t count = by_outer ? pooling.outer : depth.windows.size() == 1 ? rows : 1;
  const int64_t parts = std::min<int64_t>(count, threads);
  if (parts == 1) return {{std::move(pooling)}};
  const int64_t dst_row = static_cast<int64_t>(width.windows.size()) * pooling.inner;
  const int64_t dst_item = static_cast<int64_t>(depth.windows.size()) * rows * dst_row;
  const int64_t src_item = depth.src_size * height.src_size * width.src_size * pooling.inner;
  std::vector<PoolingPart> result;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t begin = count * part / parts;
    const int64_t end = count * (part + 1) / parts;
    if (by_outer) {
      result.push_back({pooling, begin * src_item, begin * dst_item});
      result.back().pooling.outer = end - begin;
      continue;
    }
    result.push_back({pooling, 0, begin * dst_row});
    WindowAxis& axis = result.back().pooling.axes[1];
    axis.windows = {axis.windows.begin() + begin, axis.windows.begin() + end};
    axis.padding -= begin * axis.stride;
  }
  return result;
}

absl::StatusOr<PreparedOp> PreparePooling(const OpContext& context, WindowPooling pooling) {
  if (context.is_constant(0)) return context.Fallback();
  memory::desc src = context.src_desc(0);
  std::optional<ChannelBlocks> blocks = ChannelBlocksOf(src);
  // A window without taps would write -inf into the padding, which must stay zero.
  if (!blocks || (HasPadding(src) && HasEmptyWindow(pooling))) {
    src = AxisLastDesc(src.dims(), 1, context.type());
    blocks = ChannelBlocksOf(src);
  }
  const memory::desc dst = WithSpatialSizes(src, *blocks, context.dst_dims());
  pooling.outer = blocks->images * blocks->channel_blocks;
  pooling.inner = blocks->block;

  PreparedOp prepared;
  prepared.src_layouts = {MakeLayout(src)};
  prepared.dst_layout = MakeLayout(dst);
  const size_t part_bytes = own::ScratchBytes(pooling);
  std::vector<PoolingPart> parts = PartsOf(std::move(pooling), KernelThreads());
  prepared.scratch_bytes = parts.size() * part_bytes;
  const own::Isa isa = own::DetectIsa();
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel = MakeOwnKernelOf(context.dtype(), [&]<typename T>(T) {
    return [run = own::SelectWindowPooling<T>(isa), parts = std::move(parts),
            part_floats = static_cast<int64_t>(part_bytes / sizeof(float))](
               const T* src_data, T* dst_data, float* scratch) {
      const auto count = static_cast<int64_t>(parts.size());
      ForEachPart(static_cast<int>(count), count, 1, [&](int64_t begin, int64_t, int) {
        const PoolingPart& part = parts[static_cast<size_t>(begin)];
        run(part.pooling, src_data + part.src_offset, dst_data + part.dst_offset,
            scratch + begin * part_floats);
      });
    };
  });
  return prepared;
}

// Spatial axis `axis` of the op's, at its place among D, H, W.
WindowAxis& Place(WindowPooling& pooling, size_t axis, size_t spatial_axes) {
  return pooling.axes[pooling.axes.size() - spatial_axes + axis];
}

absl::StatusOr<PreparedOp> PrepareAdaptive(const OpContext& context, WindowPooling::Kind kind) {
  const memory::dims src_dims = context.src_dims(0);
  const memory::dims dst_dims = context.dst_dims();
  const size_t spatial_axes = src_dims.size() - 2;
  WindowPooling pooling;
  pooling.kind = kind;
  pooling.axes.fill(own::UnitAxis());
  for (size_t axis = 0; axis < spatial_axes; ++axis) {
    Place(pooling, axis, spatial_axes) = AdaptiveAxis(src_dims[axis + 2], dst_dims[axis + 2]);
  }
  return PreparePooling(context, std::move(pooling));
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Pooling& op) {
  const size_t spatial_axes = op.kernel.size();
  const memory::dims src_dims = context.src_dims(0);
  const memory::dims dst_dims = context.dst_dims();
  WindowPooling pooling;
  pooling.kind =
      op.kind == Pooling::Kind::kMax ? WindowPooling::Kind::kMax : WindowPooling::Kind::kSum;
  pooling.axes.fill(own::UnitAxis());
  for (size_t axis = 0; axis < spatial_axes; ++axis) {
    Place(pooling, axis, spatial_axes) = AxisOf(op, axis, src_dims[axis + 2], dst_dims[axis + 2]);
  }
  if (op.divisor_override) {
    for (WindowAxis& axis : pooling.axes) {
      for (WindowAxis::Window& window : axis.windows) window.divisor = 1;
    }
    for (WindowAxis::Window& window : pooling.axes[2].windows) {
      window.divisor = *op.divisor_override;
    }
  }
  return PreparePooling(context, std::move(pooling));
}

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const AdaptiveAveragePooling&) {
  return PrepareAdaptive(context, WindowPooling::Kind::kSum);
}

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const AdaptiveMaxPooling&) {
  return PrepareAdaptive(context, WindowPooling::Kind::kMax);
}

}  // namespace lazynet::backend
