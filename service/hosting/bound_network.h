#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "engine/nn/parameter_set.h"
#include "engine/plan/plan_cache.h"
#include "engine/plan/shared_parts.h"
#include "service/hosting/binding.h"
#include "service/hosting/memory_budget.h"
#include "service/hosting/parameter_hash.h"
#include "service/hosting/state_directory.h"
#include "service/metrics/network_probe.h"

namespace lazynet::hosting {

// A network with all its parameters, and what was made from them. Replaced as a whole when the
// parameters change; requests keep the one they started with. Safe for use by many threads.
struct BoundNetwork {
  // Probe and budget are told of plans and packed weights, which may outlive the network's other
  // owners. `room` was taken for the values, `asking` is the network that room is made for.
  BoundNetwork(nn::ParameterSet set, std::unique_ptr<MemoryBudget::Share> room, Binding how,
               MemoryBudget& budget, const Evictable* asking, plan::PlanCache& cache,
               size_t max_plans, const std::shared_ptr<metrics::NetworkProbe>& probe)
      : parameters(std::move(set)),
        binding(std::move(how)),
        shares(budget.Hold(parameters, std::move(room))),
        shared([probe](int64_t change) { probe->RecordPackedWeightChange(change); },
               [&budget, asking](size_t bytes) -> absl::StatusOr<std::shared_ptr<const void>> {
                 ASSIGN_OR_RETURN(auto share, budget.Take(bytes, "packed weights", asking));
                 return std::shared_ptr<const void>(std::move(share));
               },
               [&budget](int64_t change) { budget.Add(change); }),
        plans(cache, max_plans, [probe](const plan::PlanCache::Part::Change& change) {
          probe->RecordPlanCacheChange(change.entries, change.bytes);
          if (change.age_at_eviction) probe->RecordPlanCacheEviction(*change.age_at_eviction);
        }) {}

  // Made on the first call: reading all parameters takes a while.
  const std::string& hash(const nn::Network& network) const {
    std::call_once(hashed_, [&] {
      hash_ = ParameterHash(network, parameters);
      hash_known_.store(true, std::memory_order_release);
    });
    return hash_;
  }
  bool hash_known() const { return hash_known_.load(std::memory_order_acquire); }

  const nn::ParameterSet parameters;
  const Binding binding;
  const MemoryBudget::Shares shares;  // of the parameters
  const std::chrono::steady_clock::time_point made = std::chrono::steady_clock::now();

  // Keys whose values were drawn when the sizes were fixed, and replaced by a client later: made
  // again, they must be drawn first, since the random stream went on behind them.
  std::set<std::string> replaced;

  plan::SharedParts shared;
  plan::PlanCache::Part plans;

 private:
  mutable std::once_flag hashed_;
  mutable std::string hash_;
  mutable std::atomic<bool> hash_known_ = false;
};

// What stays of a bound network whose parameters were evicted: enough to answer questions, and to
// make the same bits again. Immutable.
struct EvictedNetwork {
  SavedState state;             // with a binding, and the hash if somebody asked for it; its values
                                // are in mapped files
  nn::ParameterSet parameters;  // without those that are to be drawn again
  bool restored = false;        // found in the state directory, not made yet: it may not fit
};

}  // namespace lazynet::hosting
