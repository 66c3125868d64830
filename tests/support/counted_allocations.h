#pragma once

#include <cstddef>

namespace lazynet::testing {

// What the program has got from operator new so far: how many times, and the bytes that it still
// holds. A program that links this counts.
size_t Allocations();
size_t HeldBytes();

}  // namespace lazynet::testing
