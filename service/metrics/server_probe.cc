#include "service/metrics/server_probe.h"

#include "service/metrics/registry.h"
#include "service/metrics/status_code_index.h"
#include "service/metrics/store.h"

namespace lazynet::metrics {

ServerProbe::ServerProbe(Registry& registry) : store_(registry.store()) {}
ServerProbe::~ServerProbe() = default;

void ServerProbe::RecordUnassigned(absl::StatusCode code) {
  store_->server().unassigned_requests[IndexOf(code)].Add();
}

void ServerProbe::SetLanes(size_t count) {
  store_->server().lanes.Set(static_cast<int64_t>(count));
}

void ServerProbe::SetQueueDepth(size_t requests) {
  store_->server().queue_depth.Set(static_cast<int64_t>(requests));
}

void ServerProbe::SetQueueCapacity(size_t requests) {
  store_->server().queue_capacity.Set(static_cast<int64_t>(requests));
}

void ServerProbe::SetWorkspaceBytes(size_t bytes) {
  store_->server().workspace_bytes.Set(static_cast<int64_t>(bytes));
}

void ServerProbe::SetMemoryBudget(size_t bytes) {
  store_->server().memory_budget_bytes.Set(static_cast<int64_t>(bytes));
}

void ServerProbe::RecordMemoryChange(int64_t bytes) {
  store_->server().memory_used_bytes.Add(bytes);
}

void ServerProbe::SetBuildQueueDepth(size_t jobs) {
  store_->server().build_queue_depth.Set(static_cast<int64_t>(jobs));
}

}  // namespace lazynet::metrics
