#include "service/cli/http_get.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace lazynet::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostBytes = size_t{1} << 30;

class Socket {
 public:
  explicit Socket(int file) : file_(file) {}
  ~Socket() {
    if (file_ >= 0) close(file_);
  }
  Socket(Socket&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Socket& operator=(Socket&&) = delete;

  int file() const { return file_; }

  // Waits until the events are there, or the time is up: then false.
  bool Wait(short events, Clock::time_point end) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
      pollfd entry{.fd = file_, .events = events, .revents = 0};
      const int ready = poll(&entry, 1, static_cast<int>(std::max<int64_t>(left, 0)));
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

 private:
  int file_;
};

absl::StatusOr<std::pair<std::string, std::string>> SplitAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return InvalidArgument("wants HOST:PORT, got \"{}\"", address);
  }
  std::string host = address.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return std::pair(std::move(host), address.substr(colon + 1));
}

absl::Status Unreachable(const std::string& address, std::string_view why) {
  return absl::UnavailableError(fmt::format("no metrics at {}: {}", address, why));
}

absl::StatusOr<Socket> Connect(const std::string& address, Clock::time_point end) {
  ASSIGN_OR_RETURN(const auto parts, SplitAddress(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(parts.first.c_str(), parts.second.c_str(), &hints, &found);
      code != 0) {
    return Unreachable(address, gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    Socket connection(socket(entry->ai_family, entry->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                             entry->ai_protocol));
    if (connection.file() < 0) {
      error = errno;
      continue;
    }
    if (connect(connection.file(), entry->ai_addr, entry->ai_addrlen) == 0) return connection;
    error = errno;
    if (error != EINPROGRESS) continue;
    if (!connection.Wait(POLLOUT, end)) {
      error = ETIMEDOUT;
      continue;
    }
    socklen_t size = sizeof(error);
    getsockopt(connection.file(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return connection;
  }
  return Unreachable(address, std::strerror(error));
}

}  // namespace

absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path,
                                    std::chrono::milliseconds timeout) {
  const Clock::time_point end = Clock::now() + timeout;
  ASSIGN_OR_RETURN(const Socket connection, Connect(address, end));
  // 1.0: the body is not cut into chunks, and ends with the connection.
  const std::string request =
      fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", path, address);
  for (size_t sent = 0; sent < request.size();) {
    if (!connection.Wait(POLLOUT, end)) return Unreachable(address, std::strerror(ETIMEDOUT));
    const ssize_t now =
        send(connection.file(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno != EAGAIN) return Unreachable(address, std::strerror(errno));
    if (now > 0) sent += static_cast<size_t>(now);
  }
  std::string response;
  std::string piece(size_t{64} << 10, '\0');
  for (;;) {
    if (!connection.Wait(POLLIN, end)) return Unreachable(address, std::strerror(ETIMEDOUT));
    const ssize_t now = recv(connection.file(), piece.data(), piece.size(), 0);
    if (now < 0 && errno == EAGAIN) continue;
    if (now < 0) return Unreachable(address, std::strerror(errno));
    if (now == 0) break;
    response.append(piece, 0, static_cast<size_t>(now));
    if (response.size() > kMostBytes) return Internal("{} sends more than 1 GiB", address);
  }
  const size_t head = response.find("\r\n\r\n");
  if (!response.starts_with("HTTP/1.") || head == std::string::npos) {
    return Internal("what listens on {} is no HTTP server", address);
  }
  const std::string status = response.substr(0, response.find("\r\n"));
  if (status.find(" 200 ") == std::string::npos) {
    return Internal("{}{} answers \"{}\"", address, path, status);
  }
  return response.substr(head + 4);
}

}  // namespace lazynet::cli
