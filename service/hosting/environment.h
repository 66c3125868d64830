#pragma once

#include <cstddef>

#include "engine/backend/backend.h"
#include "engine/nn/parameter_set.h"
#include "engine/plan/plan.h"
#include "engine/plan/plan_cache.h"
#include "service/hosting/memory_budget.h"
#include "service/hosting/network_events.h"
#include "service/hosting/queue_options.h"
#include "service/hosting/state_directory.h"
#include "service/metrics/network_probe.h"

namespace lazynet::hosting {

struct HostingOptions {
  nn::MaterializeOptions materialize;  // of one network
  plan::PlanOptions plan;
  size_t shapes_per_network = 32;  // that plans are kept for; the least recently used goes first
  int wide_threads = 1;            // of the plans that a request has all lanes for
  QueueOptions queue;              // of networks whose serving options say nothing
};

// What all hosted networks share. Outlives them.
struct Environment {
  const backend::Backend& backend;
  HostingOptions options;
  metrics::Registry& registry;
  MemoryBudget& budget;
  plan::PlanCache& plans;
  NetworkEvents& events;
  const StateDirectory* state = nullptr;  // none: nothing is remembered
};

}  // namespace lazynet::hosting
