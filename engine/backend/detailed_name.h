#pragma once

#include <string_view>

#include "engine/backend/op.h"

namespace lazynet::backend {

// What an op computes, for people: Name(), or the algorithm where an op has several that differ in
// what they are: "relu", "add", "max_pooling", "reduce_mean", "lstm".
std::string_view DetailedName(const OpKind& kind);

}  // namespace lazynet::backend
