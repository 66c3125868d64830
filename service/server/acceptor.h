#pragma once

#include <grpcpp/server_builder.h>
#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "service/net/socket.h"

namespace lazynet::server {

// Accepts the TCP connections of one address for a gRPC server, on a thread of its own. gRPC's own
// listener has no limit of connections, and when the process has no file descriptor left it never
// accepts again; this one closes what is too much, and goes on.
class Acceptor {
 public:
  using Handler = grpc::experimental::ExternalConnectionAcceptor;

  // Binds the address, host:port. Errors as net::Listen's, naming the address.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Bind(const std::string& address,
                                                        size_t max_connections);
  // As Stop.
  ~Acceptor();

  int port() const { return listener_.port; }

  // Accepts from now on. `handler` takes the connections, and owns them then.
  void Start(std::unique_ptr<Handler> handler);

  // Accepts no more, and closes the socket, so that clients go elsewhere at once.
  void Stop();

  // Whether any connection is open still. After Stop, as the next.
  bool HasConnections();

  // Whether bytes came in on one of them in that time; one that has just been opened counts too.
  bool Receives(std::chrono::milliseconds within);

 private:
  // A descriptor that was handed on, and what it stood for, as numbers are used again.
  struct Connection {
    int fd = -1;
    dev_t device = 0;
    ino_t inode = 0;
  };

  Acceptor(std::string address, net::Listener listener, net::Fd wake, size_t max_connections);

  void Work();
  bool WaitForClients(bool out_of_descriptors) const;
  bool AcceptSome();
  void Take(net::Fd fd);
  bool HasRoom();
  static bool IsOpen(const Connection& connection);
  void ForgetClosed();
  void WarnOfRefusals();

  const std::string address_;
  const size_t max_connections_;
  net::Listener listener_;
  const net::Fd wake_;  // readable when it is time to stop
  std::unique_ptr<Handler> handler_;
  std::vector<Connection> connections_;              // the thread's, as the next three
  std::chrono::steady_clock::time_point next_scan_;  // of them, for closed ones
  size_t refused_ = 0;                               // since the last warning
  std::chrono::steady_clock::time_point next_warning_;
  std::thread thread_;
};

}  // namespace lazynet::server
