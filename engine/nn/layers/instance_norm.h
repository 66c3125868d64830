#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// InstanceNorm{1,2,3}d(num_features, eps=1e-5, momentum=0.1, affine, track_running_stats) in eval
// mode: running statistics when tracked, else each instance's own.
// With num_features given it is PyTorch's eager class, whose affine and track_running_stats
// default to False; without, the lazy class, where PyTorch's actual defaults are True (its
// documentation says False).
// Lazy num_features: the channel axis, also of an unbatched input (PyTorch takes dim 1 there and
// fails, pytorch#97915).
std::unique_ptr<const Layer> MakeInstanceNorm(int axes, AttributeReader& reader);

}  // namespace lazynet::nn
