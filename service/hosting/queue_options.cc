#include "service/hosting/queue_options.h"

#include "engine/core/status.h"
#include "proto/lazynet/v1/lazynet.pb.h"

namespace lazynet::hosting {
namespace {

constexpr int64_t kMostRequests = 1 << 20;
constexpr int64_t kMostItems = 1 << 16;
constexpr int64_t kMostLevels = 1000;
constexpr int64_t kMostMilliseconds = 24 * 3600 * 1000;
constexpr int64_t kMostMicroseconds = 60 * 1000 * 1000;
constexpr double kMostShare = 1e6;

// 0 leaves what is there.
template <typename Target>
absl::Status Read(const char* field, int64_t value, int64_t most, Target& target) {
  if (value < 0 || value > most) {
    return InvalidArgument("{} wants 0 to {}, got {}", field, most, value);
  }
  if (value > 0) target = Target(value);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<QueueOptions> ConvertQueue(const v1::ServingConfig& config, QueueOptions options) {
  const v1::Queue& queue = config.queue();
  RETURN_IF_ERROR(
      Read("queue.max_requests", queue.max_requests(), kMostRequests, options.capacity));
  RETURN_IF_ERROR(Read("queue.max_wait_milliseconds", queue.max_wait_milliseconds(),
                       kMostMilliseconds, options.max_wait));
  RETURN_IF_ERROR(
      Read("queue.priority_levels", queue.priority_levels(), kMostLevels, options.priority_levels));
  options.default_priority = (options.priority_levels + 1) / 2;
  RETURN_IF_ERROR(Read("queue.default_priority", queue.default_priority(), options.priority_levels,
                       options.default_priority));
  if (!(queue.share() >= 0 && queue.share() <= kMostShare)) {
    return InvalidArgument("queue.share wants 0 to {}, got {}", kMostShare, queue.share());
  }
  if (queue.share() > 0) options.share = queue.share();
  const v1::Batching& batching = config.batching();
  RETURN_IF_ERROR(Read("batching.max_batch_size", batching.max_batch_size(), kMostItems,
                       options.max_batch_size));
  RETURN_IF_ERROR(Read("batching.max_delay_microseconds", batching.max_delay_microseconds(),
                       kMostMicroseconds, options.max_batch_delay));
  return options;
}

}  // namespace lazynet::hosting
