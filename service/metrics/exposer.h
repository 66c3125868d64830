#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"

namespace lazynet::metrics {

class Registry;

// Serves a registry over HTTP as /metrics, from start to destruction, on one thread of its own. A
// slow client delays no other one: connections are few, bounded in time and never waited for.
class Exposer {
 public:
  // `address` is host:port: an IPv4 address, an IPv6 address in brackets or a name, of whose
  // addresses the first IPv4 one is taken. It listens there and nowhere else; 0.0.0.0 is every IPv4
  // interface, [::] every interface. Port 0 lets the system choose.
  //   INVALID_ARGUMENT: not an address, or a name that does not resolve
  //   UNAVAILABLE: the address is taken, not this machine's or not allowed
  static absl::StatusOr<std::unique_ptr<Exposer>> Start(const Registry& registry,
                                                        std::string_view address);
  ~Exposer();
  Exposer(const Exposer&) = delete;
  Exposer& operator=(const Exposer&) = delete;

  int port() const { return port_; }

 private:
  class Server;
  Exposer(std::unique_ptr<Server> server, int port);

  std::unique_ptr<Server> server_;
  int port_;
};

}  // namespace lazynet::metrics
