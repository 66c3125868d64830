#include "engine/backend/threads.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <mutex>

namespace lazynet::backend {

namespace {

constexpr const char* kWaitVariable = "GOMP_SPINCOUNT";
constexpr const char* kWaitCount = "5000";

}  // namespace

void RestartWithBriefWaits(char** argv) {
  if (std::getenv(kWaitVariable) != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  std::array<char, PATH_MAX> program{};
  if (readlink("/proc/self/exe", program.data(), program.size() - 1) < 0) return;
  setenv(kWaitVariable, kWaitCount, 1);
  execv(program.data(), argv);
  // It goes on as it is where programs cannot be started.
}

void SetKernelThreads(int count) { omp_set_num_threads(count); }
int KernelThreads() { return omp_get_max_threads(); }

void ForEachPart(int threads, int64_t count, int64_t step,
                 absl::FunctionRef<void(int64_t begin, int64_t end, int part)> body) {
  const int64_t steps = (count + step - 1) / step;
  const auto parts = static_cast<int>(std::clamp<int64_t>(steps, 1, threads));
  if (parts == 1) return body(0, count, 0);
#pragma omp parallel for num_threads(parts) schedule(static, 1)
  for (int part = 0; part < parts; ++part) {
    const int64_t begin = steps * part / parts * step;
    body(begin, std::min(count, steps * (part + 1) / parts * step), part);
  }
}

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
