#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "service/config/config.h"
#include "service/hosting/hosted_network.h"
#include "service/hosting/memory_budget.h"
#include "service/hosting/network_events.h"
#include "service/hosting/repository.h"
#include "service/hosting/state_directory.h"
#include "service/metrics/registry.h"
#include "service/metrics/server_probe.h"

namespace lazynet::server {

// What hosts networks, without any port. In the order in which the parts need each other.
struct Host {
  explicit Host(const config::ServerConfig& config);

  // NOT_FOUND without a repository folder. A model that cannot be served is no error.
  absl::Status Load(const config::ServerConfig& config);

  const std::unique_ptr<backend::Backend> backend;
  metrics::Registry registry;
  metrics::ServerProbe probe;
  hosting::MemoryBudget budget;
  plan::PlanCache plans;
  hosting::NetworkEvents events;
  std::unique_ptr<hosting::StateDirectory> state;
  std::unique_ptr<const hosting::Environment> environment;
  std::unique_ptr<hosting::Repository> repository;
};

// How many lanes there are to be.
size_t LaneCount(const config::ServerConfig& config);

// Loads the repository as a server would, and describes each model in a line. OK when every model
// can be served.
absl::Status CheckRepository(const config::ServerConfig& config, std::string& report);

}  // namespace lazynet::server
