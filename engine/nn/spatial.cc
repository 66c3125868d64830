#include "engine/nn/spatial.h"

#include <utility>

namespace lazynet::nn {

absl::Status CheckSpatialInput(const Shape& input, int axes) {
  if (input.rank() != axes + 1 && input.rank() != axes + 2) {
    return InvalidArgument("wants a rank of {} (unbatched) or {}, got shape {}", axes + 1, axes + 2,
                           input.ToString());
  }
  for (int axis = -axes; axis < 0; ++axis) {
    if (input.dim(axis) == 0) {
      return InvalidArgument("wants spatial dims of at least 1, got shape {}", input.ToString());
    }
  }
  return absl::OkStatus();
}

backend::ValueId Batched(Lowering& lowering, backend::ValueId input, int axes) {
  const Shape& shape = lowering.shape(input);
  if (shape.rank() == axes + 2) return input;
  Shape::Dims dims{1};
  dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
  return lowering.Reshape(input, Shape(std::move(dims)));
}

backend::ValueId Unbatched(Lowering& lowering, backend::ValueId output, int axes) {
  if (lowering.shape(lowering.input(0)).rank() == axes + 2) return output;
  const auto dims = lowering.shape(output).dims();
  return lowering.Reshape(output, Shape(dims.subspan(1)));
}

absl::StatusOr<int64_t> WindowCount(int64_t size, int64_t pads, int64_t kernel, int64_t dilation,
                                    int64_t stride) {
  if (size == kUnknownDim) return kUnknownDim;
  const int64_t span = dilation * (kernel - 1) + 1;
  if (size + pads < span) {
    return InvalidArgument(
        "wants an input of at least {} where the kernel spans {}, got {} + {} "
        "of padding",
        span - pads, span, size, pads);
  }
  return backend::WindowCount(size, pads, kernel, dilation, stride);
}

Shape WithSpatial(const Shape& input, int axes, int64_t channels,
                  std::span<const int64_t> spatial) {
  Shape output = input;
  output.set_dim(ChannelAxis(axes), channels);
  for (int i = 0; i < axes; ++i) output.set_dim(i - axes, spatial[static_cast<size_t>(i)]);
  return output;
}

}  // namespace lazynet::nn
