#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace lazynet::backend {

// The other threads of a kernel wait for the next one awake for some 75 us, and then sleep: waking
// them takes 10 to 200 us, but libgomp's own 2 ms would take the processor from whom else has work.
// It reads this from the environment before main; so that is set, unless the user has, and the program
// started again. To be called first, with main's arguments.
void RestartWithBriefWaits(char** argv);

// Sets how many threads the kernels that the calling thread prepares and runs use: the count is
// fixed when a kernel is prepared, and must be the same where it runs.
void SetKernelThreads(int count);
int KernelThreads();

// Calls body(begin, end, part) on up to `threads` threads, the caller's among them, for parts of
// [0, count) of about equal size, which begin at multiples of `step`; 0 <= part < threads.
void ForEachPart(int threads, int64_t count, int64_t step,
                 absl::FunctionRef<void(int64_t begin, int64_t end, int part)> body);

// Calls body(index, place) for all 0 <= index < count on up to `threads` threads, the caller's
// among them; calls with the same place, 0 <= place < threads, come one after the other. Kernels
// that are run there use one thread. Returns an error of the calls, if there is one.
absl::Status ForEachInParallel(int threads, int64_t count,
                               absl::FunctionRef<absl::Status(int64_t index, size_t place)> body);

}  // namespace lazynet::backend
