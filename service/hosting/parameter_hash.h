#pragma once

#include <string>

#include "engine/nn/parameter_set.h"

namespace lazynet::hosting {

// SHA-256, in hexadecimal, of all parameters in state-dict order: for each its key, datatype name
// and shape ("[10, 4]"), each with a zero byte behind it, and its bytes. Two servers show the same
// hash when, and only when, they have the same parameters. `set` is complete.
std::string ParameterHash(const nn::Network& network, const nn::ParameterSet& set);

}  // namespace lazynet::hosting
