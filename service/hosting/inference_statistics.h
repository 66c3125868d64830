#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

namespace lazynet::hosting {

// What the stages of a request took; 0 for one that it did not come to.
struct RequestTimes {
  std::chrono::nanoseconds build{0};  // waiting for materialization or a plan
  std::chrono::nanoseconds queue{0};
  std::chrono::nanoseconds compute_input{0};  // from the message into tensors
  std::chrono::nanoseconds compute_infer{0};
  std::chrono::nanoseconds compute_output{0};  // from tensors into the answer
  std::chrono::nanoseconds total{0};           // from its arrival to its answer

  // Items that were computed together, of all requests in the batch; and 1 for one of these, which
  // the batch is counted with.
  size_t batch_size = 0;
  uint64_t executions = 0;
};

struct StatisticDuration {
  uint64_t count = 0;
  std::chrono::nanoseconds total{0};

  void Add(std::chrono::nanoseconds time) {
    ++count;
    total += time;
  }
};

struct StageDurations {
  StatisticDuration compute_input;
  StatisticDuration compute_infer;
  StatisticDuration compute_output;

  void Add(const RequestTimes& times);
};

// The requests to one network since it is hosted, as the ModelStatistics call tells them. Safe for
// use by many threads.
class InferenceStatistics {
 public:
  // Batch sizes that are told apart: the first so many that come.
  static constexpr size_t kMostBatchSizes = 64;

  struct Snapshot {
    std::chrono::milliseconds last_inference{0};  // since 1970; 0 = none yet
    uint64_t items = 0;                           // of all requests that were answered
    uint64_t executions = 0;  // batches
    StatisticDuration success, failure, queue;
    StageDurations stages;
    std::map<size_t, StageDurations> batches;  // by their size
  };

  // Of a request of so many items.
  void RecordSuccess(const RequestTimes& times, size_t items);
  void RecordFailure(std::chrono::nanoseconds total);

  Snapshot Read() const;

 private:
  mutable std::mutex mutex_;  // guards all
  Snapshot now_;
};

}  // namespace lazynet::hosting
