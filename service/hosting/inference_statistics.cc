#include "service/hosting/inference_statistics.h"

namespace lazynet::hosting {

void StageDurations::Add(const RequestTimes& times) {
  compute_input.Add(times.compute_input);
  compute_infer.Add(times.compute_infer);
  compute_output.Add(times.compute_output);
}

void InferenceStatistics::RecordSuccess(const RequestTimes& times, size_t items) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::lock_guard lock(mutex_);
  now_.last_inference = std::chrono::duration_cast<std::chrono::milliseconds>(now);
  now_.items += items;
  now_.executions += times.executions;
  now_.success.Add(times.total);
  now_.queue.Add(times.queue);
  now_.stages.Add(times);
  if (times.executions == 0) return;
  auto found = now_.batches.find(times.batch_size);
  if (found == now_.batches.end()) {
    if (now_.batches.size() == kMostBatchSizes) return;
    found = now_.batches.emplace(times.batch_size, StageDurations{}).first;
  }
  found->second.Add(times);
}

void InferenceStatistics::RecordFailure(std::chrono::nanoseconds total) {
  const std::lock_guard lock(mutex_);
  now_.failure.Add(total);
}

InferenceStatistics::Snapshot InferenceStatistics::Read() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

}  // namespace lazynet::hosting
