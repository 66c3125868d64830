#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "engine/nn/parameter_set.h"
#include "engine/plan/plan_cache.h"
#include "engine/plan/shared_parts.h"
#include "service/hosting/binding.h"
#include "service/hosting/parameter_budget.h"
#include "service/hosting/parameter_hash.h"
#include "service/metrics/network_probe.h"

namespace lazynet::hosting {

// A network with all its parameters, and what was made from them. Replaced as a whole when the
// parameters change; requests keep the one they started with. Safe for use by many threads.
struct BoundNetwork {
  // The probe is told of plans and packed weights, which may outlive the network's other owners.
  BoundNetwork(nn::ParameterSet set, Binding how, std::unique_ptr<ParameterBudget::Share> bytes,
               plan::PlanCache& cache, size_t max_plans,
               const std::shared_ptr<metrics::NetworkProbe>& probe)
      : parameters(std::move(set)),
        binding(std::move(how)),
        share(std::move(bytes)),
        shared([probe](int64_t change) { probe->RecordPackedWeightChange(change); }),
        plans(cache, max_plans, [probe](const plan::PlanCache::Part::Change& change) {
          probe->RecordPlanCacheChange(change.entries, change.bytes);
          if (change.age_at_eviction) probe->RecordPlanCacheEviction(*change.age_at_eviction);
        }) {}

  // Made on the first call: reading all parameters takes a while.
  const std::string& hash(const nn::Network& network) const {
    std::call_once(hashed_, [&] { hash_ = ParameterHash(network, parameters); });
    return hash_;
  }

  const nn::ParameterSet parameters;
  const Binding binding;
  const std::unique_ptr<ParameterBudget::Share> share;

  // Keys whose values were drawn when the sizes were fixed, and replaced by a client later: made
  // again, they must be drawn first, since the random stream went on behind them.
  std::set<std::string> replaced;

  plan::SharedParts shared;
  plan::PlanCache::Part plans;

 private:
  mutable std::once_flag hashed_;
  mutable std::string hash_;
};

}  // namespace lazynet::hosting
