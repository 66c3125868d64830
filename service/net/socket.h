#pragma once

#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace lazynet::net {

// Owns a file descriptor.
class Fd {
 public:
  explicit Fd(int value = -1) : value_(value) {}
  ~Fd();
  Fd(Fd&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  int get() const { return value_; }
  int Release() { return std::exchange(value_, -1); }
  bool valid() const { return value_ >= 0; }

 private:
  int value_;
};

// A TCP socket that listens without blocking, and the port it got.
struct Listener {
  Fd fd;
  int port = 0;
};

// Listens on `address`, host:port: an IPv4 address, an IPv6 address in brackets or a name, of whose
// addresses the first IPv4 one is taken. [::] listens on IPv4 as well. Port 0 lets the system
// choose.
// Errors leave it to the caller to name the address.
//   INVALID_ARGUMENT: not an address, or a name that does not resolve
//   UNAVAILABLE: the address is taken, not this machine's or not allowed
absl::StatusOr<Listener> Listen(std::string_view address);

}  // namespace lazynet::net
