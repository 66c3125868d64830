#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "service/scheduling/lanes.h"

namespace lazynet::server {

// A gRPC server on one address, with a completion queue for its asynchronous methods and one thread
// that polls it. One poller is the fastest on few processors.
class Listener {
 public:
  // Binds the address; see bound().
  Listener(std::string address, int max_message_bytes, const std::vector<grpc::Service*>& services);

  bool bound() const { return server_ != nullptr && port_ > 0; }
  const std::string& address() const { return address_; }
  int port() const { return port_; }
  grpc::ServerCompletionQueue& queue() { return *queue_; }

  // Small jobs are run by the poller; the lanes have to be there until StopPolling.
  void StartPolling(scheduling::Lanes& lanes);

  // Refuses new calls, lets those in flight end until the deadline, then cancels them.
  void Shutdown(std::chrono::system_clock::time_point deadline);

  // After Shutdown, when nobody starts operations on the queue any more.
  void StopPolling();

 private:
  void Poll(scheduling::Lanes& lanes);

  const std::string address_;
  int port_ = 0;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  std::thread poller_;
};

}  // namespace lazynet::server
