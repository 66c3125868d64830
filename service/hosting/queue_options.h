#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/statusor.h"

namespace lazynet::v1 {
class ServingConfig;
}

namespace lazynet::hosting {

// How the requests of one network wait for lanes, and which are run together. The numbers of a
// server's flags, or of a serving.textproto.
struct QueueOptions {
  int64_t capacity = 1024;  // requests that wait, >= 1

  // A request that would wait longer, as it is predicted, is refused.
  std::chrono::milliseconds max_wait = std::chrono::seconds(10);

  // Of the lanes' time, beside other networks that have requests waiting; > 0.
  double share = 1;

  // Requests have a priority from 1, the first to be run, to so many; 1: theirs is not looked at.
  int64_t priority_levels = 1;
  int64_t default_priority = 1;  // of requests that have none, or one that is no level

  // `requested`: 0 for none.
  int64_t PriorityOf(int64_t requested) const {
    return requested < 1 || requested > priority_levels ? default_priority : requested;
  }

  // Items that are run together, of requests whose shapes differ in axis 0 alone: 0 as many as gain
  // from it, up to kMostTogether; 1 none.
  static constexpr int64_t kMostTogether = 32;
  int64_t max_batch_size = 0;

  // How long a request may wait for others to be run with, though a lane is free.
  std::chrono::microseconds max_batch_delay{0};
};

// What a config says of queues and batches, with `defaults` for what it does not say.
// INVALID_ARGUMENT for numbers out of range.
absl::StatusOr<QueueOptions> ConvertQueue(const v1::ServingConfig& config, QueueOptions defaults);

}  // namespace lazynet::hosting
