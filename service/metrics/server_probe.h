#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"

namespace lazynet::metrics {

class Registry;
class Store;

// What happens to the server as a whole, told to Prometheus. Several probes of one registry speak
// of the same series. All calls are cheap and safe from any thread.
class ServerProbe {
 public:
  explicit ServerProbe(Registry& registry);
  ~ServerProbe();

  // An inference request that ended before there was a network for it: none is hosted by its name,
  // or it cannot be read. The name is the client's text, so the series carries none.
  void RecordUnassigned(absl::StatusCode code);

  void SetLanes(size_t count);
  void SetQueueDepth(size_t requests);
  void SetQueueCapacity(size_t requests);
  void SetBuildQueueDepth(size_t jobs);
  void SetWorkspaceBytes(size_t bytes);
  void SetMemoryBudget(size_t bytes);
  void RecordMemoryChange(int64_t bytes);  // so many more, or less, of the budget are used

 private:
  std::shared_ptr<Store> store_;
};

}  // namespace lazynet::metrics
