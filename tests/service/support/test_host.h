#pragma once

#include <memory>

#include "engine/backend/reference/reference_backend.h"
#include "service/hosting/hosted_network.h"
#include "service/metrics/registry.h"

namespace lazynet::testing {

// What hosted networks share, on the reference backend.
struct TestHost {
  explicit TestHost(size_t memory_budget = size_t{1} << 30,
                    const hosting::StateDirectory* state = nullptr,
                    hosting::HostingOptions options = {})
      : budget(memory_budget),
        environment{.backend = *backend,
                    .options = options,
                    .registry = registry,
                    .budget = budget,
                    .plans = plans,
                    .events = events,
                    .state = state} {}

  const std::unique_ptr<backend::Backend> backend = backend::MakeReferenceBackend();
  metrics::Registry registry;
  hosting::MemoryBudget budget;
  plan::PlanCache plans{size_t{1} << 30};
  hosting::NetworkEvents events;
  const hosting::Environment environment;
};

}  // namespace lazynet::testing
