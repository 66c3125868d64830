#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// CosineSimilarity(dim=1, eps=1e-8) of two inputs that broadcast: x1 x2 / (max(|x1|, eps) max(|x2|,
// eps)) along `dim`, which the output lacks. The promoted dtype is to be floating.
std::unique_ptr<const Layer> MakeCosineSimilarity(AttributeReader& reader);

// PairwiseDistance(p=2, eps=1e-6, keepdim=False) of two inputs that broadcast: the p-norm of x1 -
// x2
// + eps along the last axis. FP32 of integers.
std::unique_ptr<const Layer> MakePairwiseDistance(AttributeReader& reader);

// F.normalize(p=2, dim=1, eps=1e-12): x / max(norm, eps) along `dim`.
std::unique_ptr<const Layer> MakeNormalize(AttributeReader& reader);

}  // namespace lazynet::nn
