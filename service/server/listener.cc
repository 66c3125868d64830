#include "service/server/listener.h"

#include <utility>

#include "service/handlers/rpc_interceptor.h"

namespace lazynet::server {

Listener::Listener(std::string address, int max_message_bytes,
                   const std::vector<grpc::Service*>& services, const metrics::RpcProbe& rpcs)
    : address_(std::move(address)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials(), &port_);
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.SetMaxReceiveMessageSize(max_message_bytes);
  builder.SetMaxSendMessageSize(-1);
  // Otherwise another process on the same port would silently take a share of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<handlers::RpcInterceptorFactory>(rpcs));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
}

void Listener::Shutdown(std::chrono::system_clock::time_point deadline) {
  if (server_ != nullptr) server_->Shutdown(deadline);
}

}  // namespace lazynet::server
