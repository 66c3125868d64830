#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Softmax(dim=None), LogSoftmax(dim=None) and Softmin(dim=None), which is that of -x. Without dim
// PyTorch's legacy rule holds: 0 for the ranks 0, 1 and 3, else 1. Softmax2d is along the channels
// of [N, C, H, W] or [C, H, W].
enum class SoftmaxKind { kSoftmax, kLogSoftmax, kSoftmin, kSoftmax2d };
std::unique_ptr<const Layer> MakeSoftmax(SoftmaxKind kind, AttributeReader& reader);

}  // namespace lazynet::nn
