#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/status.h"
#include "engine/nn/network_definition.h"

namespace lazynet::nn {

// Makes the initializer of a function of torch.nn.init, without its final underscore
// ("xavier_uniform"), from its arguments; those left out have PyTorch's defaults. INVALID_ARGUMENT
// names the unknown function, or the function and the argument with what was wanted and what came.
// Whether a parameter can be initialized so is init::CheckInitializer's question.
absl::StatusOr<init::Initializer> MakeInitializer(std::string_view function,
                                                  const Attributes& attributes);

// All function names, sorted.
std::vector<std::string> InitializerFunctions();

}  // namespace lazynet::nn
