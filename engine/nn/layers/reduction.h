#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// What joins all elements, or those along `dim`, a list; keepdim leaves axes of size 1 behind:
// Mean, Sum, Prod, Amax, Amin, Var(correction=1), Std(correction=1), Norm(p=2), Logsumexp, Any,
// All. And along one `dim`: Max and Min, whose outputs are the values and their indices; Argmax and
// Argmin, the indices alone, of the flattened input without `dim`. Sums and products of integers
// are INT64, indices too; means, variances and norms want floating dtypes.
std::vector<std::string_view> ReductionTypes();
std::unique_ptr<const Layer> MakeReduction(std::string_view type, AttributeReader& reader);

}  // namespace lazynet::nn
