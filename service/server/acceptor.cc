#include "service/server/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/core/status.h"

namespace lazynet::server {
namespace {

using Steady = std::chrono::steady_clock;

// How soon to try again when the system could not give a connection, as for want of a descriptor.
constexpr int kRetryMilliseconds = 50;
// Between two looks at all connections, when there was no closed one among them.
constexpr std::chrono::milliseconds kBetweenScans{100};
constexpr int kMostAtATime = 64;  // before a look at whether it is time to stop
constexpr std::chrono::seconds kBetweenWarnings{10};

// Whether accept failed for that one client only, as accept(2) has it of Linux.
bool IsOfOneConnection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:  // a firewall's word
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      return true;
    default:
      return false;
  }
}

}  // namespace

Acceptor::Acceptor(std::string address, net::Listener listener, net::Fd wake,
                   size_t max_connections)
    : address_(std::move(address)),
      max_connections_(max_connections),
      listener_(std::move(listener)),
      wake_(std::move(wake)) {}

Acceptor::~Acceptor() { Stop(); }

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Bind(const std::string& address,
                                                         size_t max_connections) {
  auto listener = net::Listen(address);
  if (!listener.ok()) return Annotate(address, listener.status());
  net::Fd wake(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake.valid()) return absl::UnavailableError("no file descriptor to listen with");
  return std::unique_ptr<Acceptor>(
      new Acceptor(address, *std::move(listener), std::move(wake), max_connections));
}

void Acceptor::Start(std::unique_ptr<Handler> handler) {
  handler_ = std::move(handler);
  thread_ = std::thread([this] { Work(); });
}

void Acceptor::Stop() {
  if (thread_.joinable()) {
    eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  listener_.fd = net::Fd();
}

void Acceptor::Work() {
  bool paused = false;
  while (WaitForClients(paused)) paused = !AcceptSome();
}

// False when it is time to stop.
bool Acceptor::WaitForClients(bool paused) const {
  std::array<pollfd, 2> events = {{{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = listener_.fd.get(), .events = POLLIN, .revents = 0}}};
  const nfds_t watched = paused ? 1 : 2;  // the client that waits would wake us at once
  while (poll(events.data(), watched, paused ? kRetryMilliseconds : -1) < 0) {
  }
  return events[0].revents == 0;
}

// False when it is of no use to try again at once.
bool Acceptor::AcceptSome() {
  for (int i = 0; i < kMostAtATime; ++i) {
    net::Fd fd(accept4(listener_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      Take(std::move(fd));
      continue;
    }
    if (errno == EAGAIN) return true;
    if (IsOfOneConnection(errno)) continue;
    ++refused_;
    WarnOfRefusals();
    return false;
  }
  return true;
}

void Acceptor::Take(net::Fd fd) {
  struct stat file = {};
  if (!HasRoom() || fstat(fd.get(), &file) != 0) {
    ++refused_;
    WarnOfRefusals();
    return;
  }
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  connections_.push_back({fd.get(), file.st_dev, file.st_ino});
  Handler::NewConnectionParameters connection;
  connection.listener_fd = listener_.fd.get();
  connection.fd = fd.Release();
  handler_->HandleNewConnection(&connection);
}

// gRPC does not say when it closes a connection: looks when there seems to be no room, but not for
// each of many clients that come then.
bool Acceptor::HasRoom() {
  if (connections_.size() < max_connections_) return true;
  const auto now = Steady::now();
  if (now < next_scan_) return false;
  ForgetClosed();
  if (connections_.size() < max_connections_) return true;
  next_scan_ = now + kBetweenScans;
  return false;
}

bool Acceptor::HasConnections() {
  while (!connections_.empty() && !IsOpen(connections_.back())) connections_.pop_back();
  return !connections_.empty();
}

bool Acceptor::Receives(std::chrono::milliseconds within) {
  ForgetClosed();
  return std::any_of(connections_.begin(), connections_.end(), [&](const Connection& connection) {
    tcp_info info = {};
    socklen_t size = sizeof(info);
    return getsockopt(connection.fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           std::chrono::milliseconds(info.tcpi_last_data_recv) < within;
  });
}

void Acceptor::ForgetClosed() {
  std::erase_if(connections_, [](const Connection& connection) { return !IsOpen(connection); });
}

bool Acceptor::IsOpen(const Connection& connection) {
  struct stat file = {};
  return fstat(connection.fd, &file) == 0 && file.st_dev == connection.device &&
         file.st_ino == connection.inode;
}

void Acceptor::WarnOfRefusals() {
  const auto now = Steady::now();
  if (now < next_warning_) return;
  spdlog::warn("{}: {} connections refused: {} are open, at most {} are wanted", address_, refused_,
               connections_.size(), max_connections_);
  refused_ = 0;
  next_warning_ = now + kBetweenWarnings;
}

}  // namespace lazynet::server
