#pragma once

#include <memory>

#include "engine/backend/reference/reference_backend.h"
#include "service/hosting/hosted_network.h"
#include "service/metrics/registry.h"

namespace lazynet::testing {

// What hosted networks share, on the reference backend.
struct TestHost {
  explicit TestHost(size_t max_parameter_bytes = size_t{1} << 30,
                    const hosting::StateDirectory* state = nullptr,
                    hosting::HostingOptions options = {})
      : budget(max_parameter_bytes),
        environment{.backend = *backend,
                    .options = options,
                    .registry = registry,
                    .budget = budget,
                    .plans = plans,
                    .events = events,
                    .state = state} {}

  const std::unique_ptr<backend::Backend> backend = backend::MakeReferenceBackend();
  metrics::Registry registry;
  hosting::ParameterBudget budget;
  plan::PlanCache plans{size_t{1} << 30};
  hosting::NetworkEvents events;
  const hosting::Environment environment;
};

}  // namespace lazynet::testing
