#include "service/server/listener.h"

#include <utility>

namespace lazynet::server {

Listener::Listener(std::string address, int max_message_bytes,
                   const std::vector<grpc::Service*>& services)
    : address_(std::move(address)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials(), &port_);
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.SetMaxReceiveMessageSize(max_message_bytes);
  builder.SetMaxSendMessageSize(-1);
  // Otherwise another process on the same port would silently take a share of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
}

void Listener::Shutdown(std::chrono::system_clock::time_point deadline) {
  if (server_ != nullptr) server_->Shutdown(deadline);
}

}  // namespace lazynet::server
