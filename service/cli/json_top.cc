#include <cmath>

#include "service/cli/json_format.h"
#include "service/cli/json_report.h"

namespace lazynet::cli::json {
namespace {

Json OrNull(double value) { return std::isnan(value) ? Json() : Json(value); }

}  // namespace

void Print(const ServerLoad& load, std::ostream& out) {
  Json models = Json::array();
  for (const ModelLoad& model : load.models) {
    models.push_back({{"name", model.name},
                      {"version", model.version},
                      {"state", model.state},
                      {"answers_per_second", model.answers_per_second},
                      {"errors_per_second", model.errors_per_second},
                      {"p50_seconds", OrNull(model.p50_seconds)},
                      {"p99_seconds", OrNull(model.p99_seconds)},
                      {"queue_seconds", OrNull(model.queue_seconds)},
                      {"in_flight", model.in_flight},
                      {"bytes", model.bytes}});
  }
  const ServerSample& server = load.server;
  Write({{"version", server.version},
         {"lanes", server.lanes},
         {"queue_depth", server.queue_depth},
         {"queue_capacity", server.queue_capacity},
         {"build_queue_depth", server.build_queue_depth},
         {"cpus", load.cpus},
         {"resident_bytes", server.resident_bytes},
         {"workspace_bytes", server.workspace_bytes},
         {"model_bytes", load.model_bytes},
         {"memory_budget_bytes",
          server.memory_budget_bytes > 0 ? Json(server.memory_budget_bytes) : Json()},
         {"answers_per_second", load.answers_per_second},
         {"errors_per_second", load.errors_per_second},
         {"models", std::move(models)}},
        out);
}

}  // namespace lazynet::cli::json
