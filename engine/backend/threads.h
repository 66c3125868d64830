#pragma once

namespace lazynet::backend {

// Sets how many threads the kernels that the calling thread prepares and runs use: the count is
// fixed when a kernel is prepared, and must be the same where it runs.
void SetKernelThreads(int count);

}  // namespace lazynet::backend
