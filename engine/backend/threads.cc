#include "engine/backend/threads.h"

#include <omp.h>

#include <mutex>

namespace lazynet::backend {

void SetKernelThreads(int count) { omp_set_num_threads(count); }

absl::Status ForEachInParallel(int threads, int64_t count,
                               absl::FunctionRef<absl::Status(int64_t, size_t)> body) {
  if (threads <= 1) {
    SetKernelThreads(1);
    for (int64_t index = 0; index < count; ++index) {
      const absl::Status status = body(index, 0);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  std::mutex mutex;  // guards result
  absl::Status result;
  // Within a parallel region oneDNN's kernels run on the thread that calls them.
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (int64_t index = 0; index < count; ++index) {
    const absl::Status status = body(index, static_cast<size_t>(omp_get_thread_num()));
    const std::lock_guard lock(mutex);
    result.Update(status);
  }
  return result;
}

}  // namespace lazynet::backend
