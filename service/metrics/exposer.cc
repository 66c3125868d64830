#include "service/metrics/exposer.h"

#include <fmt/format.h>
#include <poll.h>
#include <prometheus/text_serializer.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "engine/core/status.h"
#include "service/metrics/registry.h"
#include "service/metrics/store.h"
#include "service/net/socket.h"

namespace lazynet::metrics {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxConnections = 16;
constexpr size_t kMaxHeadBytes = 8192;
constexpr std::chrono::seconds kRequestTimeout{10};
constexpr std::chrono::seconds kAnswerTimeout{30};
constexpr std::chrono::seconds kCloseTimeout{1};
constexpr std::chrono::milliseconds kAcceptPause{100};  // after running out of descriptors

// The page of thousands of models takes seconds to write: requests go first.
constexpr int kNiceness = 10;

std::string Answer(std::string_view status, std::string_view body, std::string_view more = "",
                   bool with_body = true) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      "Content-Length: {}\r\nConnection: close\r\n{}\r\n{}",
      status, body.size(), more, with_body ? body : "");
}

// The answer to a request of that head, whose first line is "GET /metrics HTTP/1.1".
std::string AnswerTo(std::string_view head, const Store& store) {
  const std::string_view line = head.substr(0, head.find('\n'));
  const size_t method_end = line.find(' ');
  const size_t target_end = method_end == line.npos ? line.npos : line.find(' ', method_end + 1);
  if (target_end == line.npos || !line.substr(target_end + 1).starts_with("HTTP/1.")) {
    return Answer("400 Bad Request", "not an HTTP request\n");
  }
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  if (target.substr(0, target.find('?')) != "/metrics") {
    return Answer("404 Not Found", "only /metrics is here\n");
  }
  if (method != "GET" && method != "HEAD") {
    return Answer("405 Method Not Allowed", "only GET and HEAD\n", "Allow: GET, HEAD\r\n");
  }
  try {
    return Answer("200 OK", prometheus::TextSerializer().Serialize(store.Collect()), "",
                  method == "GET");
  } catch (const std::exception&) {
    return Answer("500 Internal Server Error", "the metrics could not be collected\n");
  }
}

// One request and its answer, moved on whenever the socket is ready: read the head, write the
// answer, then wait shortly for the client to close, since closing first with its bytes unread
// would take the answer from it.
class Connection {
 public:
  explicit Connection(net::Fd fd) : fd_(std::move(fd)) {}

  pollfd ToPoll() const {
    return {fd_.get(), static_cast<short>(phase_ == Phase::kWrite ? POLLOUT : POLLIN), 0};
  }
  Clock::time_point deadline() const { return deadline_; }
  bool answered() const { return phase_ == Phase::kClose; }

  // False: it is over.
  bool Advance(const Store& store) {
    if (phase_ == Phase::kRead && !Read(store)) return false;
    if (phase_ == Phase::kWrite && !Write()) return false;
    return phase_ != Phase::kClose || Drain();
  }

 private:
  enum class Phase { kRead, kWrite, kClose };

  bool Read(const Store& store) {
    char buffer[2048];
    while (true) {
      const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      if (got == 0) return false;
      text_.append(buffer, static_cast<size_t>(got));
      if (text_.find("\r\n\r\n") != text_.npos || text_.find("\n\n") != text_.npos) {
        text_ = AnswerTo(text_, store);
      } else if (text_.size() > kMaxHeadBytes) {
        text_ = Answer("431 Request Header Fields Too Large", "the request is too long\n");
      } else {
        continue;
      }
      Enter(Phase::kWrite, kAnswerTimeout);
      return true;
    }
  }

  bool Write() {
    while (sent_ < text_.size()) {
      const ssize_t sent =
          send(fd_.get(), text_.data() + sent_, text_.size() - sent_, MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      sent_ += static_cast<size_t>(sent);
    }
    shutdown(fd_.get(), SHUT_WR);
    std::string().swap(text_);
    Enter(Phase::kClose, kCloseTimeout);
    return true;
  }

  bool Drain() {
    char buffer[2048];
    const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
  }

  void Enter(Phase phase, Clock::duration timeout) {
    phase_ = phase;
    deadline_ = Clock::now() + timeout;
  }

  net::Fd fd_;
  Phase phase_ = Phase::kRead;
  Clock::time_point deadline_ = Clock::now() + kRequestTimeout;
  std::string text_;  // the request's head, then the answer
  size_t sent_ = 0;
};

}  // namespace

class Exposer::Server {
 public:
  // Throws std::system_error when the system gives no descriptor or thread.
  Server(std::shared_ptr<const Store> store, net::Fd listener)
      : store_(std::move(store)), listener_(std::move(listener)), stop_(eventfd(0, EFD_CLOEXEC)) {
    if (!stop_.valid()) throw std::system_error(errno, std::generic_category(), "no eventfd");
    thread_ = std::thread([this] { Serve(); });
  }

  ~Server() {
    eventfd_write(stop_.get(), 1);
    thread_.join();
  }

 private:
  void Serve() {
    setpriority(PRIO_PROCESS, 0, kNiceness);
    std::vector<Connection> connections;
    Clock::time_point accept_after = Clock::time_point::min();
    while (true) {
      const Clock::time_point now = Clock::now();
      std::erase_if(connections, [&](const Connection& one) { return one.deadline() <= now; });

      // Those with their answer make room first. While there is none, the backlog waits.
      if (connections.size() >= kMaxConnections) {
        std::erase_if(connections, [](const Connection& one) { return one.answered(); });
      }
      const bool full = connections.size() >= kMaxConnections;
      const bool paused = now < accept_after;
      Clock::time_point wake = paused ? accept_after : Clock::time_point::max();
      std::vector<pollfd> polled = {
          {stop_.get(), POLLIN, 0},
          {listener_.get(), static_cast<short>(full || paused ? 0 : POLLIN), 0}};
      for (const Connection& connection : connections) {
        polled.push_back(connection.ToPoll());
        wake = std::min(wake, connection.deadline());
      }
      if (poll(polled.data(), polled.size(), TimeoutUntil(wake, now)) < 0) continue;  // EINTR
      if (polled[0].revents != 0) return;

      std::vector<Connection> open;
      for (size_t i = 0; i < connections.size(); ++i) {
        const bool ready = polled[2 + i].revents != 0;
        if (!ready || connections[i].Advance(*store_)) open.push_back(std::move(connections[i]));
      }
      connections = std::move(open);
      if ((polled[1].revents & POLLIN) != 0) {
        net::Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd.valid()) {
          connections.emplace_back(std::move(fd));
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          accept_after = Clock::now() + kAcceptPause;
        }
      }
    }
  }

  // Milliseconds for poll(), rounded up so that it never spins towards a deadline.
  static int TimeoutUntil(Clock::time_point wake, Clock::time_point now) {
    if (wake == Clock::time_point::max()) return -1;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wake - now).count());
  }

  const std::shared_ptr<const Store> store_;
  const net::Fd listener_;
  const net::Fd stop_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<Exposer>> Exposer::Start(const Registry& registry,
                                                        std::string_view address) {
  const std::string where = fmt::format("metrics address \"{}\"", address);
  absl::StatusOr<net::Listener> listener = net::Listen(address);
  if (!listener.ok()) return Annotate(where, listener.status());
  try {
    auto server = std::make_unique<Server>(registry.store(), std::move(listener->fd));
    return std::unique_ptr<Exposer>(new Exposer(std::move(server), listener->port));
  } catch (const std::system_error& error) {
    return absl::UnavailableError(fmt::format("{}: {}", where, error.what()));
  }
}

Exposer::Exposer(std::unique_ptr<Server> server, int port)
    : server_(std::move(server)), port_(port) {}

Exposer::~Exposer() = default;

}  // namespace lazynet::metrics
