#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace lazynet::backend {

// Sets how many threads the kernels that the calling thread prepares and runs use: the count is
// fixed when a kernel is prepared, and must be the same where it runs.
void SetKernelThreads(int count);

// Calls body(index, place) for all 0 <= index < count on up to `threads` threads, the caller's
// among them; calls with the same place, 0 <= place < threads, come one after the other. Kernels
// that are run there use one thread. Returns an error of the calls, if there is one.
absl::Status ForEachInParallel(int threads, int64_t count,
                               absl::FunctionRef<absl::Status(int64_t index, size_t place)> body);

}  // namespace lazynet::backend
