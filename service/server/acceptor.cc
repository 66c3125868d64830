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

// How soon to look again for a descriptor when the process had none.
constexpr int kRetryMilliseconds = 50;
constexpr std::chrono::seconds kBetweenWarnings{10};

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
  bool out_of_descriptors = false;
  while (WaitForClients(out_of_descriptors)) out_of_descriptors = !AcceptAll();
}

// False when it is time to stop.
bool Acceptor::WaitForClients(bool out_of_descriptors) const {
  std::array<pollfd, 2> events = {{{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = listener_.fd.get(), .events = POLLIN, .revents = 0}}};
  const nfds_t watched = out_of_descriptors ? 1 : 2;  // the client that waits would wake us at once
  while (poll(events.data(), watched, out_of_descriptors ? kRetryMilliseconds : -1) < 0) {
  }
  return events[0].revents == 0;
}

// False when the process has no descriptor left.
bool Acceptor::AcceptAll() {
  while (true) {
    net::Fd fd(accept4(listener_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      Take(std::move(fd));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      ++refused_;
      WarnOfRefusals();
      return false;
    }
    // Whatever else is wrong, is wrong with that one connection.
    if (errno == EAGAIN) return true;
  }
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

// gRPC does not say when it closes a connection: looks when there seems to be no room.
bool Acceptor::HasRoom() {
  if (connections_.size() >= max_connections_) ForgetClosed();
  return connections_.size() < max_connections_;
}

bool Acceptor::HasConnections() {
  ForgetClosed();
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
  std::erase_if(connections_, [](const Connection& connection) {
    struct stat file = {};
    return fstat(connection.fd, &file) != 0 || file.st_dev != connection.device ||
           file.st_ino != connection.inode;
  });
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
