#include "service/server/rpc_methods.h"

#include <google/protobuf/descriptor.h>

#include "engine/core/check.h"

namespace lazynet::server {

std::vector<std::string> RpcMethods() {
  std::vector<std::string> methods;
  for (const char* name : {"inference.GRPCInferenceService", "lazynet.v1.LazyNetworkService",
                           "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    LAZYNET_CHECK(service != nullptr);
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(service->full_name() + "/" + service->method(i)->name());
    }
  }
  return methods;
}

}  // namespace lazynet::server
