#include "service/handlers/rpcs.h"

#include <algorithm>
#include <iterator>

namespace lazynet::handlers {
namespace {

// They end when the client likes, and nothing is lost with them.
constexpr std::string_view kOpenEnded[] = {
    "grpc.health.v1.Health/Watch", "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "lazynet.v1.LazyNetworkService/WatchNetworks"};

}  // namespace

RpcMethod Rpcs::Method(std::string_view method) {
  if (method.starts_with('/')) method.remove_prefix(1);
  const bool open_ended =
      std::find(std::begin(kOpenEnded), std::end(kOpenEnded), method) != std::end(kOpenEnded);
  return {.probe = probe_.Method(method), .in_flight = open_ended ? nullptr : &in_flight_};
}

}  // namespace lazynet::handlers
