#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// BatchNorm{1,2,3}d(num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True)
// in eval mode: running statistics, or the batch's own when none are tracked. Batched inputs only.
// Lazy num_features: dim 1.
std::unique_ptr<const Layer> MakeBatchNorm(int axes, AttributeReader& reader);

}  // namespace lazynet::nn
