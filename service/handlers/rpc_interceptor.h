#pragma once

#include <grpcpp/support/server_interceptor.h>

#include "service/handlers/rpcs.h"

namespace lazynet::handlers {

// Makes the records of the calls of all methods but ModelInfer and ModelStreamInfer, which
// make them themselves: taken raw, they go past all interceptors at no cost.
class RpcInterceptorFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit RpcInterceptorFactory(Rpcs& rpcs) : rpcs_(rpcs) {}

  // Null for what is not to be intercepted.
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  Rpcs& rpcs_;
};

}  // namespace lazynet::handlers
