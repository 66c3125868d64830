#pragma once

#include <functional>
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
      : budget(memory_budget,
               [this](int64_t change) {
                 if (on_memory) on_memory(change);
               }),
        environment{.backend = *backend,
                    .options = options,
                    .registry = registry,
                    .budget = budget,
                    .plans = plans,
                    .events = events,
                    .state = state} {}

  std::function<void(int64_t change)> on_memory;  // of what the budget counts; set while it is idle
  const std::unique_ptr<backend::Backend> backend = backend::MakeReferenceBackend();
  metrics::Registry registry;
  hosting::MemoryBudget budget;
  plan::PlanCache plans{size_t{1} << 30};
  hosting::NetworkEvents events;
  const hosting::Environment environment;
};

}  // namespace lazynet::testing
