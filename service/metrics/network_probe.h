#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"

namespace lazynet::metrics {

class Registry;

// The state of a hosted network as the lazynet_network_state series show it.
enum class NetworkState { kLazy, kMaterializing, kReady, kUnavailable, kEvicted };

// Where a materialization came from.
enum class MaterializationSource {
  kFirstRequest,
  kAdmin,
  kAtLoad,
  kCheckpoint,
  kClient,
  kDefinition,
  kWarmUp,
  kEvicted  // made again after an eviction
};

// What was dropped to make room.
enum class EvictedPart { kPlan, kPackedWeights, kParameters };

// What happens to one hosted network (model, version), told to Prometheus. The series are there at
// 0 from the probe's construction and gone with its destruction. Recording takes no lock, and
// memory only for a histogram's first value; all calls are safe from any thread.
//
// Two probes of the same network at a time, as when a reloaded network starts before the old one
// has drained, record into the same series: counts and bytes add up, the last state wins, and the
// series go with the last of the two probes.
class NetworkProbe {
 public:
  NetworkProbe(Registry& registry, std::string_view model, std::string_view version);
  ~NetworkProbe();
  NetworkProbe(const NetworkProbe&) = delete;
  NetworkProbe& operator=(const NetworkProbe&) = delete;

  // A ModelInfer answered with `code`, `duration` after its arrival.
  void RecordRequest(absl::StatusCode code, std::chrono::nanoseconds duration);
  void RequestStarted();  // requests_in_flight
  void RequestFinished();

  // A request waited in the lanes' queue; a batch was computed, of that many elements of the batch
  // axis.
  void RecordQueue(std::chrono::nanoseconds duration);
  void RecordCompute(std::chrono::nanoseconds duration, size_t batch_size);

  // Any other text counts as "other".
  // "queue_full" | "queue_wait" (would be too long) | "deadline" (would pass) |
  // "build_queue_full" | "draining"
  void RecordShed(std::string_view reason);
  void RecordDeadlineExpired(std::string_view stage);  // "queue" | "build"

  // Every attempt is counted by outcome; only successful ones are timed, since an early failure
  // would make materializing look fast.
  void RecordMaterialization(MaterializationSource source, bool succeeded,
                             std::chrono::nanoseconds duration);
  void RecordPlanBuild(bool succeeded, std::chrono::nanoseconds duration);
  void RecordPlanCacheHit();
  void RecordPlanCacheMiss();
  void RecordPackedWeightChange(int64_t bytes);
  void RecordPlanCacheChange(int entries, int64_t bytes);  // so many more, or less
  void RecordPlanCacheEviction(std::chrono::nanoseconds age);

  void RecordEviction(EvictedPart part);  // of plans: by the call above
  void RecordParameterAgeAtEviction(std::chrono::nanoseconds age);

  // Until the first call no state is the present one.
  void SetState(NetworkState state);
  void SetUninitializedParameters(size_t count);
  // What the probe said last is taken back, at the latest with its destruction.
  void SetParameterBytes(size_t bytes, size_t mapped);

 private:
  struct Series;
  std::unique_ptr<Series> series_;
  std::atomic<int64_t> parameter_bytes_ = 0;  // of this probe
  std::atomic<int64_t> mapped_parameter_bytes_ = 0;
};

}  // namespace lazynet::metrics
