#pragma once

#include <grpc/compression.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/config/config.h"
#include "service/handlers/rpcs.h"
#include "service/server/acceptor.h"

namespace lazynet::server {

// What all connections of an address may take of so much memory.
size_t ConnectionMemory(const config::ConnectionLimits& limits, size_t available);

struct ListenerOptions {
  int max_message_bytes = 0;
  config::ConnectionLimits connections;
  size_t connection_memory = 0;  // bytes, in place of that of the limits
  bool decompress = false;       // by gRPC, without a limit: for clients that can be trusted
  grpc_compression_level compression = GRPC_COMPRESS_LEVEL_NONE;  // of answers
  std::chrono::seconds drain_timeout;  // for calls on a connection that is closed for its age
  std::shared_ptr<grpc::ServerCredentials> credentials;
};

// A gRPC server on one address, with a completion queue for its asynchronous methods.
class Listener {
 public:
  // Binds the address: host:port, or unix:PATH. UNAVAILABLE when it is taken, INVALID_ARGUMENT when
  // it is none.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(
      const std::string& address, const ListenerOptions& options,
      const std::vector<grpc::Service*>& services, handlers::Rpcs& rpcs);

  int port() const { return port_; }
  grpc::ServerCompletionQueue& queue() { return *queue_; }

  // Refuses new connections, and tells clients to go elsewhere; takes the calls that they started
  // before they heard of it.
  void TellClientsToGo();

  // Whether there still is a connection, as far as can be told: of a unix socket it cannot.
  bool HasConnections();

  // Whether anything came in on a connection in that time, as far as can be told, likewise.
  bool Receives(std::chrono::milliseconds within);

  // Refuses new connections and calls, lets those in flight end until the deadline, then cancels
  // them.
  void Shutdown(std::chrono::steady_clock::time_point deadline);

  // Breaks all connections, also while Shutdown waits for the calls on them.
  void CancelCalls();

 private:
  explicit Listener(std::shared_ptr<grpc::ServerCredentials> credentials)
      : credentials_(std::move(credentials)) {}

  const std::shared_ptr<grpc::ServerCredentials> credentials_;  // the server does not keep them
  int port_ = 0;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Acceptor> acceptor_;  // null for unix sockets, which gRPC accepts itself
};

}  // namespace lazynet::server
