#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace lazynet::metrics {

class Registry;
class Store;
struct MethodSeries;

// The calls of one gRPC method, told to Prometheus. Calls are safe from any thread.
class MethodProbe {
 public:
  void RecordStarted() const;

  // A call that began so long ago has ended; bytes are those of its messages.
  void RecordEnded(absl::StatusCode code, std::chrono::nanoseconds duration, size_t received_bytes,
                   size_t sent_bytes) const;

 private:
  friend class RpcProbe;
  explicit MethodProbe(MethodSeries& series) : series_(&series) {}

  MethodSeries* series_;
};

// The server metrics of gRFC A66 (grpc_server_call_*) for a closed set of methods. Their series are
// there from construction: started calls at 0, and the histograms of calls that ended OK, of
// ModelInfer and ModelStreamInfer also those of every other code that the server answers with. All
// others come with the first such call, since they would be tens of thousands of lines.
class RpcProbe {
 public:
  // Methods are package.Service/Method. One probe of a registry.
  RpcProbe(Registry& registry, const std::vector<std::string>& methods);
  ~RpcProbe();
  RpcProbe(const RpcProbe&) = delete;
  RpcProbe& operator=(const RpcProbe&) = delete;

  // Of this method, with or without a slash before it, as long as this probe; of one that is not in
  // the set the probe of "other": its name is the client's text.
  MethodProbe Method(std::string_view method) const;

 private:
  std::shared_ptr<Store> store_;
};

}  // namespace lazynet::metrics
