#include "service/server/host.h"

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "service/scheduling/memory_limit.h"
#include "service/scheduling/processors.h"
#include "service/version.h"

namespace lazynet::server {
namespace {

size_t BudgetOf(const config::ServerConfig& config) {
  if (config.memory_budget > 0) return static_cast<size_t>(config.memory_budget);
  return scheduling::DefaultMemoryBudget(scheduling::AvailableMemory());
}

std::unique_ptr<backend::Backend> MakeBackend(const config::ServerConfig& config) {
  auto reference = backend::MakeReferenceBackend();
  if (config.backend == "reference") return reference;
  return backend::MakeOnednnBackend(std::move(reference));
}

hosting::HostingOptions MakeHostingOptions(const config::ServerConfig& config) {
  const auto threads = static_cast<int>(LaneCount(config));
  return {.materialize = {.max_parameter_bytes = static_cast<size_t>(config.max_parameter_bytes),
                          .threads = threads},
          .plan = {.max_arena_bytes = static_cast<size_t>(config.max_plan_bytes),
                   .build_threads = threads},
          .shapes_per_network = static_cast<size_t>(config.plans_per_network),
          .wide_threads = threads,
          .queue = {.capacity = config.queue_capacity,
                    .max_wait = std::chrono::milliseconds(config.max_queue_wait_milliseconds)}};
}

}  // namespace

size_t LaneCount(const config::ServerConfig& config) {
  return static_cast<size_t>(config.lanes > 0 ? config.lanes : scheduling::AvailableProcessors());
}

Host::Host(const config::ServerConfig& config)
    : backend(MakeBackend(config)),
      registry(std::vector<std::pair<std::string, std::string>>{{"version", kVersion}}),
      probe(registry),
      budget(BudgetOf(config), [this](int64_t bytes) { probe.RecordMemoryChange(bytes); }),
      plans(static_cast<size_t>(config.plan_cache_bytes)) {
  probe.SetMemoryBudget(budget.limit());
}

absl::Status Host::Load(const config::ServerConfig& config) {
  if (!config.state_dir.empty()) {
    ASSIGN_OR_RETURN(state, hosting::StateDirectory::Open(config.state_dir));
  }
  environment.reset(new hosting::Environment{.backend = *backend,
                                             .options = MakeHostingOptions(config),
                                             .registry = registry,
                                             .budget = budget,
                                             .plans = plans,
                                             .events = events,
                                             .state = state.get()});
  ASSIGN_OR_RETURN(repository, hosting::Repository::Load(config.model_repository, *environment));
  return absl::OkStatus();
}

absl::Status CheckRepository(const config::ServerConfig& config, std::string& report) {
  // Looking must not set a state aside.
  config::ServerConfig without_state = config;
  without_state.state_dir.clear();
  Host host(without_state);
  RETURN_IF_ERROR(host.Load(without_state));
  size_t bad = 0;
  for (const auto& [name, versions] : host.repository->models()) {
    for (const auto& [version, entry] : versions) {
      const bool fine = entry.network != nullptr;
      bad += fine ? 0 : 1;
      const std::string_view state = !fine ? Message(entry.unavailable)
                                     : entry.network->bound() != nullptr ? "ready"
                                                                         : "lazy";
      report += fmt::format("{} {}: {}\n", name, version, state);
    }
  }
  if (bad == 0) return absl::OkStatus();
  return FailedPrecondition("{} of the repository's models cannot be served", bad);
}

}  // namespace lazynet::server
