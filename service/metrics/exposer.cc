#include "service/metrics/exposer.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "engine/core/status.h"
#include "service/metrics/gzip.h"
#include "service/metrics/page.h"
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
constexpr std::chrono::seconds kPatience{1};  // with one that does not move on, while others wait
constexpr std::chrono::milliseconds kAcceptPause{100};  // after running out of descriptors

// The page of thousands of models is much to write: requests go first.
constexpr int kNiceness = 10;

constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

// What is sent at first, and whether the page follows it, in which form.
struct Answer {
  std::string text;
  bool page = false;
  bool chunked = false;
  bool gzip = false;
};

Answer Refusal(std::string_view status, std::string_view body, std::string_view more = "") {
  return {
      fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                  "Connection: close\r\n{}\r\n{}",
                  status, kContentType, body.size(), more, body)};
}

// The answer to a request of that head, whose first line is "GET /metrics HTTP/1.1".
Answer AnswerTo(std::string_view head) {
  const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  const size_t method_end = line.find(' ');
  const size_t target_end = method_end == line.npos ? line.npos : line.find(' ', method_end + 1);
  if (target_end == line.npos || !line.substr(target_end + 1).starts_with("HTTP/1.")) {
    return Refusal("400 Bad Request", "not an HTTP request\n");
  }
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  if (target.substr(0, target.find('?')) != "/metrics") {
    return Refusal("404 Not Found", "only /metrics is here\n");
  }
  if (method != "GET" && method != "HEAD") {
    return Refusal("405 Method Not Allowed", "only GET and HEAD\n", "Allow: GET, HEAD\r\n");
  }
  // Its length is not known before it is made. To HTTP/1.0, which has no chunks, the end of the
  // connection is its end.
  const bool chunked = line.substr(target_end + 1) != "HTTP/1.0";
  const bool gzip = AcceptsGzip(head);
  return {fmt::format("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nConnection: close\r\n"
                      "Vary: Accept-Encoding\r\n{}{}\r\n",
                      kContentType, gzip ? "Content-Encoding: gzip\r\n" : "",
                      chunked ? "Transfer-Encoding: chunked\r\n" : ""),
          method == "GET", chunked, gzip};
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

  // When bytes last went either way.
  Clock::time_point moved() const { return moved_; }

  // False: it is over. Throws what there is no memory for.
  bool Advance(const std::shared_ptr<const Store>& store) {
    if (phase_ == Phase::kRead && !Read(store)) return false;
    if (phase_ == Phase::kWrite && !Write()) return false;
    return phase_ != Phase::kClose || Drain();
  }

 private:
  enum class Phase { kRead, kWrite, kClose };

  bool Read(const std::shared_ptr<const Store>& store) {
    char buffer[2048];
    while (true) {
      const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      if (got == 0) return false;
      moved_ = Clock::now();
      text_.append(buffer, static_cast<size_t>(got));
      Answer answer;
      if (text_.find("\r\n\r\n") != text_.npos || text_.find("\n\n") != text_.npos) {
        answer = AnswerTo(text_);
      } else if (text_.size() > kMaxHeadBytes) {
        answer = Refusal("431 Request Header Fields Too Large", "the request is too long\n");
      } else {
        continue;
      }
      text_ = std::move(answer.text);
      if (answer.page) page_ = std::make_unique<Page>(store);
      if (answer.page && answer.gzip) gzip_ = std::make_unique<Gzip>();
      chunked_ = answer.chunked;
      Enter(Phase::kWrite, kAnswerTimeout);
      return true;
    }
  }

  // At most a piece of the page: the others, and the end of the server, are waiting.
  bool Write() {
    if (sent_ == text_.size() && page_ != nullptr) MakePiece();
    while (sent_ < text_.size()) {
      const ssize_t sent =
          send(fd_.get(), text_.data() + sent_, text_.size() - sent_, MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      moved_ = Clock::now();
      sent_ += static_cast<size_t>(sent);
    }
    if (page_ != nullptr) return true;
    shutdown(fd_.get(), SHUT_WR);
    std::string().swap(text_);
    Enter(Phase::kClose, kCloseTimeout);
    return true;
  }

  void MakePiece() {
    constexpr size_t kSizeDigits = 8;
    sent_ = 0;
    text_.assign(chunked_ ? "00000000\r\n" : "");
    const size_t begin = text_.size();
    bool more = false;
    if (gzip_ != nullptr) {
      std::string piece;
      more = page_->Next(piece);
      gzip_->Append(piece, !more, text_);
    } else {
      more = page_->Next(text_);
    }
    if (chunked_) {
      fmt::format_to_n(text_.begin(), kSizeDigits, "{:08x}", text_.size() - begin);
      text_ += more ? "\r\n" : "\r\n0\r\n\r\n";
    }
    if (!more) page_.reset();
    if (!more) gzip_.reset();
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
  Clock::time_point moved_ = Clock::now();
  Clock::time_point deadline_ = moved_ + kRequestTimeout;
  std::string text_;            // the request's head, then the part of the answer that is sent
  size_t sent_ = 0;             // of it
  std::unique_ptr<Page> page_;  // what follows it, if anything does
  std::unique_ptr<Gzip> gzip_;  // that it is sent through
  bool chunked_ = false;
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

      // Those with their answer make room first, then the one that has not moved for longest.
      // While there is no room, the backlog waits.
      if (connections.size() >= kMaxConnections) {
        std::erase_if(connections, [](const Connection& one) { return one.answered(); });
      }
      Clock::time_point room_at = accept_after;
      if (connections.size() >= kMaxConnections) {
        room_at = std::max(room_at, Stillest(connections)->moved() + kPatience);
      }
      const bool accepts = room_at <= now;
      Clock::time_point wake = accepts ? Clock::time_point::max() : room_at;
      std::vector<pollfd> polled = {{stop_.get(), POLLIN, 0},
                                    {listener_.get(), static_cast<short>(accepts ? POLLIN : 0), 0}};
      for (const Connection& connection : connections) {
        polled.push_back(connection.ToPoll());
        wake = std::min(wake, connection.deadline());
      }
      if (poll(polled.data(), polled.size(), TimeoutUntil(wake, now)) < 0) continue;  // EINTR
      if (polled[0].revents != 0) return;

      std::vector<Connection> open;
      for (size_t i = 0; i < connections.size(); ++i) {
        const bool ready = polled[2 + i].revents != 0;
        if (!ready || Advance(connections[i])) open.push_back(std::move(connections[i]));
      }
      connections = std::move(open);
      if ((polled[1].revents & POLLIN) != 0 && MakeRoom(connections)) {
        net::Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd.valid()) {
          connections.emplace_back(std::move(fd));
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          accept_after = Clock::now() + kAcceptPause;
        }
      }
    }
  }

  bool Advance(Connection& connection) const {
    try {
      return connection.Advance(store_);
    } catch (const std::exception&) {
      return false;  // no memory for its page
    }
  }

  static std::vector<Connection>::iterator Stillest(std::vector<Connection>& connections) {
    return std::min_element(
        connections.begin(), connections.end(),
        [](const Connection& a, const Connection& b) { return a.moved() < b.moved(); });
  }

  static bool MakeRoom(std::vector<Connection>& connections) {
    if (connections.size() < kMaxConnections) return true;
    const auto stillest = Stillest(connections);
    if (stillest->moved() + kPatience > Clock::now()) return false;
    connections.erase(stillest);
    return true;
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
