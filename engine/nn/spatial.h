#pragma once

#include <span>

#include "engine/backend/op.h"
#include "engine/nn/layer.h"

namespace lazynet::nn {

// Layers over n spatial axes take [N, C, spatial...] or, unbatched, [C, spatial...].

// INVALID_ARGUMENT unless the rank is n + 1 or n + 2 and no spatial dim is 0.
absl::Status CheckSpatialInput(const Shape& input, int axes);

// The channel axis: -(n + 1).
inline int ChannelAxis(int axes) { return -(axes + 1); }

// The input with a batch axis: itself, or a view [1, C, spatial...].
backend::ValueId Batched(Lowering& lowering, backend::ValueId input, int axes);

// The output without the batch axis when the layer's input had none.
backend::ValueId Unbatched(Lowering& lowering, backend::ValueId output, int axes);

// The number of windows as backend::WindowCount has it; kUnknownDim for a size of kUnknownDim.
// INVALID_ARGUMENT when the kernel is larger than the padded input.
absl::StatusOr<int64_t> WindowCount(int64_t size, int64_t pads, int64_t kernel, int64_t dilation,
                                    int64_t stride);

// The input's shape with other channels and spatial sizes.
Shape WithSpatial(const Shape& input, int axes, int64_t channels, std::span<const int64_t> spatial);

}  // namespace lazynet::nn
