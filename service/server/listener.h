#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "service/metrics/rpc_probe.h"

namespace lazynet::server {

// A gRPC server on one address, with a completion queue for its asynchronous methods.
class Listener {
 public:
  // Binds the address; see bound().
  Listener(std::string address, int max_message_bytes, const std::vector<grpc::Service*>& services,
           const metrics::RpcProbe& rpcs);

  bool bound() const { return server_ != nullptr && port_ > 0; }
  const std::string& address() const { return address_; }
  int port() const { return port_; }
  grpc::ServerCompletionQueue& queue() { return *queue_; }

  // Refuses new calls, lets those in flight end until the deadline, then cancels them.
  void Shutdown(std::chrono::system_clock::time_point deadline);

 private:
  const std::string address_;
  int port_ = 0;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace lazynet::server
