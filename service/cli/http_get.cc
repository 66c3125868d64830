#include "service/cli/http_get.h"

#include <netdb.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace lazynet::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostBytes = size_t{1} << 30;
constexpr std::chrono::milliseconds kMostWait = std::chrono::hours(1);  // at a time

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
      const auto now = Clock::now();
      if (now >= end) return false;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now);
      pollfd entry{.fd = file_, .events = events, .revents = 0};
      const int ready = poll(&entry, 1, static_cast<int>(std::min(left, kMostWait).count()));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
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

// The value of a header among lines that each end with CR LF; nothing if it is not there.
std::optional<std::string_view> HeaderOf(std::string_view lines, std::string_view name) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(line.size() + 2, lines.size()));
    const size_t colon = line.find(':');
    if (colon != name.size() || strncasecmp(line.data(), name.data(), colon) != 0) continue;
    const size_t value = line.find_first_not_of(' ', colon + 1);
    return value == line.npos ? std::string_view() : line.substr(value);
  }
  return std::nullopt;
}

// The chunks put together; nothing if they do not go on to the last.
std::optional<std::string> JoinChunks(std::string_view text) {
  std::string body;
  for (;;) {
    size_t size = 0;
    const auto [digits, error] = std::from_chars(text.data(), text.data() + text.size(), size, 16);
    const size_t line = text.find("\r\n");
    if (error != std::errc() || line == text.npos) return std::nullopt;
    if (size == 0) return body;
    text.remove_prefix(line + 2);
    if (size > text.size() || text.size() - size < 2) return std::nullopt;
    body.append(text, 0, size);
    text.remove_prefix(size + 2);
  }
}

// What is after the head; nothing if it is not all there, as far as the head tells.
std::optional<std::string> BodyOf(std::string_view head, std::string_view rest) {
  if (HeaderOf(head, "Transfer-Encoding") == "chunked") return JoinChunks(rest);
  if (const auto length = HeaderOf(head, "Content-Length")) {
    size_t bytes = 0;
    std::from_chars(length->data(), length->data() + length->size(), bytes);
    if (rest.size() < bytes) return std::nullopt;
  }
  return std::string(rest);
}

}  // namespace

absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path,
                                    std::chrono::milliseconds timeout) {
  const Clock::time_point end =
      timeout.count() == 0 ? Clock::time_point::max() : Clock::now() + timeout;
  ASSIGN_OR_RETURN(const Socket connection, Connect(address, end));
  // 1.1: in 1.0 a body of unknown length ends with the connection, as one does that was cut off.
  const std::string request =
      fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, address);
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
  auto body = BodyOf(std::string_view(response).substr(0, head + 2),
                     std::string_view(response).substr(head + 4));
  if (!body) return Unreachable(address, "the answer ends too early");
  return *std::move(body);
}

}  // namespace lazynet::cli
