#pragma once

namespace lazynet::backend {

// What the key of a constant (graph.h) starts with that is not a parameter, or a part of one.
inline constexpr char kComputedKey = '~';

}  // namespace lazynet::backend
