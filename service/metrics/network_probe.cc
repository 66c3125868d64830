#include "service/metrics/network_probe.h"

#include <algorithm>
#include <array>

#include "service/metrics/registry.h"
#include "service/metrics/status_code_index.h"
#include "service/metrics/store.h"

namespace lazynet::metrics {
namespace {

// The place of `value`, or the last one's for what is not in the set: a new reason that nobody told
// this folder must not be lost, nor become a label of its own.
template <size_t kSize>
size_t IndexOf(std::string_view value, const std::array<std::string_view, kSize>& values) {
  const auto found = std::find(values.begin(), values.end() - 1, value);
  return static_cast<size_t>(found - values.begin());
}

size_t OutcomeIndex(bool succeeded) { return succeeded ? 0 : 1; }

}  // namespace

struct NetworkProbe::Series {
  std::shared_ptr<Store> store;
  std::shared_ptr<NetworkSeries> network;
};

NetworkProbe::NetworkProbe(Registry& registry, std::string_view model, std::string_view version)
    : series_(std::make_unique<Series>(
          Series{registry.store(), registry.store()->Acquire(model, version)})) {}

NetworkProbe::~NetworkProbe() {
  SetParameterBytes(0, 0);
  series_->store->Release(*series_->network);
}

void NetworkProbe::RecordRequest(absl::StatusCode code, std::chrono::nanoseconds duration) {
  series_->network->requests[IndexOf(code)].Add();
  series_->network->request_duration.Observe(duration.count());
}

void NetworkProbe::RequestStarted() { series_->network->requests_in_flight.Add(1); }
void NetworkProbe::RequestFinished() { series_->network->requests_in_flight.Add(-1); }

void NetworkProbe::RecordQueue(std::chrono::nanoseconds duration) {
  series_->network->queue_duration.Observe(duration.count());
}

void NetworkProbe::RecordCompute(std::chrono::nanoseconds duration, size_t batch_size) {
  series_->network->compute_duration.Observe(duration.count());
  series_->network->batch_size.Observe(static_cast<int64_t>(batch_size));
}

void NetworkProbe::RecordShed(std::string_view reason) {
  series_->network->shed[IndexOf(reason, kShedReasons)].Add();
}

void NetworkProbe::RecordDeadlineExpired(std::string_view stage) {
  series_->network->deadline_expired[IndexOf(stage, kDeadlineStages)].Add();
}

void NetworkProbe::RecordMaterialization(MaterializationSource source, bool succeeded,
                                         std::chrono::nanoseconds duration) {
  series_->network->materializations[static_cast<size_t>(source)][OutcomeIndex(succeeded)].Add();
  if (succeeded) series_->network->materialize_duration.Observe(duration.count());
}

void NetworkProbe::RecordPlanBuild(bool succeeded, std::chrono::nanoseconds duration) {
  series_->network->plan_builds[OutcomeIndex(succeeded)].Add();
  if (succeeded) series_->network->plan_build_duration.Observe(duration.count());
}

void NetworkProbe::RecordPlanCacheHit() { series_->network->plan_cache_hits.Add(); }
void NetworkProbe::RecordPlanCacheMiss() { series_->network->plan_cache_misses.Add(); }

void NetworkProbe::RecordPackedWeightChange(int64_t bytes) {
  series_->network->packed_weight_bytes.Add(bytes);
}

void NetworkProbe::RecordPlanCacheChange(int entries, int64_t bytes) {
  series_->network->plan_cache_entries.Add(entries);
  series_->network->plan_cache_bytes.Add(bytes);
}

void NetworkProbe::RecordPlanCacheEviction(std::chrono::nanoseconds age) {
  series_->network->plan_cache_evictions.Add();
  RecordEviction(EvictedPart::kPlan);
  series_->network->plan_age_at_eviction.Observe(age.count());
}

void NetworkProbe::RecordEviction(EvictedPart part) {
  series_->network->evictions[static_cast<size_t>(part)].Add();
}

void NetworkProbe::RecordParameterAgeAtEviction(std::chrono::nanoseconds age) {
  series_->network->parameter_age_at_eviction.Observe(age.count());
}

void NetworkProbe::SetState(NetworkState state) {
  series_->network->state.store(static_cast<int>(state), std::memory_order_relaxed);
}

void NetworkProbe::SetUninitializedParameters(size_t count) {
  series_->network->uninitialized_parameters.Set(static_cast<int64_t>(count));
}

void NetworkProbe::SetParameterBytes(size_t bytes, size_t mapped) {
  const auto move = [](std::atomic<int64_t>& last, size_t now, Gauge& sum) {
    const auto value = static_cast<int64_t>(now);
    sum.Add(value - last.exchange(value, std::memory_order_relaxed));
  };
  move(mapped_parameter_bytes_, mapped, series_->network->mapped_parameter_bytes);
  move(parameter_bytes_, bytes, series_->network->parameter_bytes);
}

}  // namespace lazynet::metrics
