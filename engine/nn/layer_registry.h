#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Makes the layer of a PyTorch class name ("Conv2d") from its arguments. INVALID_ARGUMENT names
// the unknown type, or the argument with what was wanted and what came.
absl::StatusOr<std::unique_ptr<const Layer>> MakeLayer(std::string_view type,
                                                       const Attributes& attributes);

// All type names, sorted.
std::vector<std::string> LayerTypes();

}  // namespace lazynet::nn
