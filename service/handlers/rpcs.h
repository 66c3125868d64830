#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/handlers/calls_in_flight.h"
#include "service/handlers/rpc_record.h"
#include "service/metrics/rpc_probe.h"

namespace lazynet::metrics {
class Registry;
}

namespace lazynet::handlers {

// All that all calls of a server have in common. Safe for use by many threads.
class Rpcs {
 public:
  // Methods are package.Service/Method, all that the server has.
  Rpcs(metrics::Registry& registry, const std::vector<std::string>& methods)
      : probe_(registry, methods) {}

  // With or without a slash before it; one that the server does not have is known as "other". For
  // as long as this.
  RpcMethod Method(std::string_view method);

  const CallsInFlight& in_flight() const { return in_flight_; }

 private:
  const metrics::RpcProbe probe_;
  CallsInFlight in_flight_;
};

}  // namespace lazynet::handlers
