#pragma once

#include <grpcpp/support/server_interceptor.h>

#include "service/metrics/rpc_probe.h"

namespace lazynet::handlers {

// Tells gRPC's metrics about the calls of all methods but ModelInfer and ModelStreamInfer, which
// tell about themselves: taken raw, they go past all interceptors at no cost.
class RpcInterceptorFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit RpcInterceptorFactory(const metrics::RpcProbe& probe) : probe_(probe) {}

  // Null for what is not to be intercepted.
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  const metrics::RpcProbe& probe_;
};

}  // namespace lazynet::handlers
