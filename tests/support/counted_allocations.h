#pragma once

#include <cstddef>

namespace lazynet::testing {

// What the program has got from operator new and posix_memalign so far: how many times, without
// those calls that oneDNN makes on its own account (a few small ones to run a primitive); and the
// bytes of operator new that it still holds. A program that links this counts.
size_t Allocations();
size_t HeldBytes();

}  // namespace lazynet::testing
