#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "service/config/config.h"
#include "service/hosting/repository.h"

namespace lazynet::server {

// The whole server: repository, lanes, gRPC on two addresses, metrics on a third.
class Server {
 public:
  // Loads the repository, binds all addresses and serves. NOT_FOUND without a repository folder,
  // UNAVAILABLE when an address is taken, INVALID_ARGUMENT or NOT_FOUND for a TLS file that cannot
  // be used.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const config::ServerConfig& config);

  // As Shutdown(0).
  ~Server();

  const hosting::Repository& repository() const;
  size_t lane_count() const;

  // The ports bound, also where the configuration said 0.
  int grpc_port() const;
  int admin_port() const;
  int metrics_port() const;

  // Has the TLS and token files, and what changed in the repository, read again by a thread of its
  // own, which logs what came of it. Requests while it does make it do so once more.
  void RequestReload();

  // Not ready from now on, for health and readiness; calls are still taken.
  void BecomeUnready();

  // Not ready from now on; refuses new calls, lets those in flight end, and cancels what is left
  // after `drain_timeout`. The second call does nothing. The ports are then no more to be asked
  // for.
  void Shutdown(std::chrono::seconds drain_timeout);

  // Cancels what Shutdown still waits for. From any thread.
  void CancelCalls();

  // The metrics as Prometheus reads them.
  std::string MetricsText() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace lazynet::server
