#include "service/net/socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>

#include "engine/core/status.h"

namespace lazynet::net {
namespace {

struct HostPort {
  std::string host;  // without brackets
  bool bracketed = false;
  uint16_t port = 0;
};

absl::StatusOr<HostPort> Split(std::string_view address) {
  HostPort result;
  std::string_view port;
  if (address.starts_with('[')) {
    const size_t end = address.find("]:");
    if (end == std::string_view::npos) return InvalidArgument("wants [IPv6 address]:port");
    result.bracketed = true;
    result.host = address.substr(1, end - 1);
    port = address.substr(end + 2);
  } else {
    const size_t colon = address.find(':');
    if (colon != address.rfind(':')) {
      return InvalidArgument("wants host:port, an IPv6 address in brackets");
    }
    if (colon == std::string_view::npos || colon == 0) return InvalidArgument("wants host:port");
    result.host = address.substr(0, colon);
    port = address.substr(colon + 1);
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return InvalidArgument("wants a port from 0 to 65535, got \"{}\"", port);
  }
  return result;
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

absl::StatusOr<SocketAddress> Resolve(const HostPort& wanted) {
  addrinfo hints{};
  hints.ai_family = wanted.bracketed ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (wanted.bracketed ? AI_NUMERICHOST : 0);
  addrinfo* list = nullptr;
  const std::string port = std::to_string(wanted.port);
  if (const int error = getaddrinfo(wanted.host.c_str(), port.c_str(), &hints, &list); error != 0) {
    return InvalidArgument("host \"{}\": {}", wanted.host, gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  const addrinfo* chosen = list;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET) {
      chosen = entry;
      break;
    }
  }
  SocketAddress result;
  std::memcpy(&result.storage, chosen->ai_addr, chosen->ai_addrlen);
  result.size = chosen->ai_addrlen;
  return result;
}

absl::Status LastError(std::string_view what) {
  return absl::UnavailableError(
      fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

absl::StatusOr<Listener> ListenOn(SocketAddress address) {
  const int family = address.storage.ss_family;
  Listener listener{Fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), 0};
  const int fd = listener.fd.get();
  if (!listener.fd.valid()) return LastError("no socket");
  const int on = 1;
  const int off = 0;
  // A restart must not wait for the connections of the process before.
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)) {
    return LastError("cannot set up the socket");
  }
  if (bind(fd, address.get(), address.size) != 0 || listen(fd, SOMAXCONN) != 0) {
    return LastError("cannot listen");
  }
  SocketAddress bound;
  if (getsockname(fd, bound.get(), &bound.size) != 0) return LastError("cannot tell the port");
  const in_port_t port = family == AF_INET6
                             ? reinterpret_cast<const sockaddr_in6*>(&bound.storage)->sin6_port
                             : reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port;
  listener.port = ntohs(port);
  return listener;
}

}  // namespace

Fd::~Fd() {
  if (valid()) close(value_);
}

absl::StatusOr<Listener> Listen(std::string_view address) {
  ASSIGN_OR_RETURN(const HostPort wanted, Split(address));
  ASSIGN_OR_RETURN(const SocketAddress resolved, Resolve(wanted));
  return ListenOn(resolved);
}

}  // namespace lazynet::net
