#include "service/metrics/exposer.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/metrics/network_probe.h"
#include "service/metrics/registry.h"
#include "service/metrics/rpc_probe.h"
#include "tests/service/metrics/gzip.h"
#include "tests/service/metrics/text_format.h"
#include "tests/service/support/process_resources.h"

namespace lazynet::metrics {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A client's end of a connection to a loopback address.
class Client {
 public:
  Client(const char* host, int port) {
    const bool ipv6 = std::strchr(host, ':') != nullptr;
    sockaddr_in6 address6{};
    address6.sin6_family = AF_INET6;
    address6.sin6_port = htons(static_cast<uint16_t>(port));
    sockaddr_in address4{};
    address4.sin_family = AF_INET;
    address4.sin_port = htons(static_cast<uint16_t>(port));
    if (ipv6) {
      inet_pton(AF_INET6, host, &address6.sin6_addr);
    } else {
      inet_pton(AF_INET, host, &address4.sin_addr);
    }
    const auto* address = ipv6 ? reinterpret_cast<const sockaddr*>(&address6)
                               : reinterpret_cast<const sockaddr*>(&address4);
    fd_ = socket(address->sa_family, SOCK_STREAM, 0);
    connected_ = connect(fd_, address, ipv6 ? sizeof(address6) : sizeof(address4)) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view text) { send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }

  // Everything until the server closes.
  std::string Receive() {
    std::string answer;
    char buffer[4096];
    for (ssize_t got; (got = recv(fd_, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, got);
    return answer;
  }

  // So many bytes, or less when the server closes.
  std::string Receive(size_t bytes) {
    std::string answer(bytes, '\0');
    answer.resize(
        static_cast<size_t>(std::max<ssize_t>(recv(fd_, answer.data(), bytes, MSG_WAITALL), 0)));
    return answer;
  }

  // Closes with a reset, as a process that is killed does.
  void Abort() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
};

// What the server answers to `request`, head included; nothing when nobody listens.
std::string Ask(const char* host, int port, std::string_view request) {
  Client client(host, port);
  if (!client.connected()) return "";
  client.Send(request);
  return client.Receive();
}

std::string Get(const char* host, int port, const std::string& path) {
  return Ask(host, port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

// The chunks of an answer put together; nothing if they do not end as they should.
std::string BodyOf(const std::string& answer) {
  std::string body;
  size_t at = answer.find("\r\n\r\n") + 4;
  while (at < answer.size()) {
    size_t digits = 0;
    const size_t size = std::stoul(answer.substr(at), &digits, 16);
    at += digits + 2;
    if (answer.substr(at + size, 2) != "\r\n") return "";
    if (size == 0) return at + 2 == answer.size() ? body : "";
    body.append(answer, at, size);
    at += size + 2;
  }
  return "";
}

// Without the process' own numbers, which are others each time.
std::string NetworksOf(const std::string& page) { return page.substr(0, page.find("# HELP proc")); }

std::vector<std::unique_ptr<NetworkProbe>> ProbesOfSeveralChunks(Registry& registry) {
  std::vector<std::unique_ptr<NetworkProbe>> probes;
  for (int i = 0; i < 100; ++i) {
    probes.push_back(std::make_unique<NetworkProbe>(registry, std::to_string(i), "1"));
  }
  return probes;
}

bool HasIpv6() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const int fd = socket(AF_INET6, SOCK_STREAM, 0);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return bound;
}

TEST(Exposer, ServesTheMetricsOnAPortOfTheSystemsChoice) {
  Registry registry;
  NetworkProbe probe(registry, "mlp", "1");
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  ASSERT_GT((*exposer)->port(), 0);

  const std::string series = R"(lazynet_plan_cache_hits_total{model="mlp",version="1"})";
  const std::string before = Get("127.0.0.1", (*exposer)->port(), "/metrics");
  EXPECT_THAT(before,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                    HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n")));
  EXPECT_EQ(ValueOf(before, series), 0);
  EXPECT_TRUE(ValueOf(before, "process_resident_memory_bytes"));

  probe.RecordPlanCacheHit();
  EXPECT_EQ(ValueOf(Get("127.0.0.1", (*exposer)->port(), "/metrics"), series), 1);
}

TEST(Exposer, AnswersEveryKindOfRequest) {
  const std::string end = " HTTP/1.1\r\n\r\n";
  const struct {
    std::string request;
    const char* status;
  } rows[] = {
      {"GET /metrics HTTP/1.0\r\n\r\n", "200"},
      {"GET /metrics HTTP/1.1\n\n", "200"},
      {"GET /metrics?format=text" + end, "200"},
      {"GET /" + end, "404"},
      {"GET /metrics/" + end, "404"},
      {"GET /../../etc/passwd" + end, "404"},
      {"POST /metrics" + end + "body", "405"},
      {"\r\n\r\n", "400"},
      {"GET /metrics\r\n\r\n", "400"},
      {"GET /metrics FTP/1.1\r\n\r\n", "400"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
      {std::string("\0\x16\x03\x01", 4) + "\n\n", "400"},
      {"GET /metrics HTTP/1.1\r\nX: " + std::string(100'000, 'x'), "431"},
  };
  const Registry registry;
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  for (const auto& row : rows) {
    EXPECT_THAT(Ask("127.0.0.1", (*exposer)->port(), row.request),
                StartsWith(std::string("HTTP/1.1 ") + row.status + ' '))
        << row.request.substr(0, 40);
  }
}

TEST(Exposer, AnswersHeadWithoutABody) {
  const Registry registry;
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  const std::string answer = Ask("127.0.0.1", (*exposer)->port(), "HEAD /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(answer.find("\r\n\r\n") + 4, answer.size());
}

TEST(Exposer, SendsTheSamePageInChunksAndWithout) {
  Registry registry;
  const auto probes = ProbesOfSeveralChunks(registry);
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  const std::string wanted = NetworksOf(registry.Text());
  const std::string chunks = Get("127.0.0.1", (*exposer)->port(), "/metrics");
  EXPECT_THAT(chunks, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(NetworksOf(BodyOf(chunks)) == wanted);
  const std::string whole =
      Ask("127.0.0.1", (*exposer)->port(), "GET /metrics HTTP/1.0\r\nHost: h\r\n\r\n");
  EXPECT_THAT(whole.substr(0, 200), Not(HasSubstr("chunked")));
  EXPECT_TRUE(NetworksOf(whole.substr(whole.find("\r\n\r\n") + 4)) == wanted);
}

TEST(Exposer, SendsThePageAsGzipToWhoTakesThat) {
  Registry registry;
  const auto probes = ProbesOfSeveralChunks(registry);
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  const std::string answer =
      Ask("127.0.0.1", (*exposer)->port(),
          "GET /metrics HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
  const std::string body = BodyOf(answer);
  const std::string wanted = NetworksOf(registry.Text());
  EXPECT_LT(body.size(), wanted.size() / 5);
  EXPECT_TRUE(NetworksOf(testing::Gunzip(body)) == wanted);
}

// Labels are compared as text: with other digits, sums over servers have a bucket of each.
TEST(Exposer, WritesBoundsAsEverybodyDoes) {
  Registry registry;
  NetworkProbe probe(registry, "mlp", "1");
  const RpcProbe rpcs(registry, {"p.S/A"});
  probe.RecordQueue(std::chrono::microseconds(500));
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  const std::string page = BodyOf(Get("127.0.0.1", (*exposer)->port(), "/metrics"));
  EXPECT_EQ(ValueOf(page, R"(lazynet_queue_duration_seconds_bucket{model="mlp",version="1",)"
                          R"(le="0.0006"})"),
            1);
  EXPECT_EQ(ValueOf(page, R"(grpc_server_call_duration_seconds_bucket{grpc_method="p.S/A",)"
                          R"(grpc_status="OK",le="0.0006"})"),
            0);
  EXPECT_EQ(page.find("0005999"), page.npos);
}

TEST(Exposer, WaitsForNoClient) {
  Registry registry;
  std::vector<std::unique_ptr<NetworkProbe>> probes;  // an answer larger than a socket's buffers
  for (int i = 0; i < 500; ++i) {
    probes.push_back(std::make_unique<NetworkProbe>(registry, std::to_string(i), "1"));
  }
  auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  const int port = (*exposer)->port();

  Client silent("127.0.0.1", port);
  Client halting("127.0.0.1", port);
  halting.Send("GET /metr");
  Client deaf("127.0.0.1", port);
  deaf.Send("GET /metrics HTTP/1.1\r\n\r\n");
  Client gone("127.0.0.1", port);
  gone.Send("GET /metrics HTTP/1.1\r\n\r\n");
  gone.Abort();

  const std::string answer = Get("127.0.0.1", port, "/metrics");
  EXPECT_TRUE(ValueOf(answer, R"(lazynet_requests_in_flight{model="499",version="1"})"));
  halting.Send("ics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(halting.Receive(), StartsWith("HTTP/1.1 200 OK"));

  // Nor does the end of the server.
  const auto before = std::chrono::steady_clock::now();
  exposer->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_EQ(silent.Receive(), "");
}

// Some two hundred megabytes to each.
TEST(Exposer, HoldsNoPageForClientsThatDoNotRead) {
  Registry registry;
  std::vector<std::unique_ptr<NetworkProbe>> probes;
  for (int i = 0; i < 10'000; ++i) {
    probes.push_back(std::make_unique<NetworkProbe>(registry, std::to_string(i), "1"));
  }
  auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  const int port = (*exposer)->port();
  const int64_t before = testing::ResidentBytes();
  std::vector<std::unique_ptr<Client>> deaf;
  for (int i = 0; i < 16; ++i) {
    deaf.push_back(std::make_unique<Client>("127.0.0.1", port));
    deaf.back()->Send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  for (const auto& client : deaf) EXPECT_THAT(client->Receive(8), "HTTP/1.1");

  // One more than there are connections has one that stands still.
  Client one_more("127.0.0.1", port);
  one_more.Send("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_EQ(one_more.Receive(10'000'000).size(), 10'000'000u);
  const int64_t more = testing::ResidentBytes() - before;
  if (!testing::kKeepsFreedMemory) {
    EXPECT_LT(more, 10'000'000 + 20'000'000);
  }

  const auto end = std::chrono::steady_clock::now();
  exposer->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - end, std::chrono::seconds(5));
}

TEST(Exposer, SilentClientsLeaveForOneThatAsks) {
  const Registry registry;
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 16; ++i) {
    silent.push_back(std::make_unique<Client>("127.0.0.1", (*exposer)->port()));
  }
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(Get("127.0.0.1", (*exposer)->port(), "/metrics"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(8));
}

TEST(Exposer, ServesMoreClientsThanItHoldsConnections) {
  const Registry registry;
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>("127.0.0.1", (*exposer)->port()));
    clients.back()->Send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  for (const auto& client : clients) {
    EXPECT_THAT(client->Receive(), StartsWith("HTTP/1.1 200 OK"));
  }
}

TEST(Exposer, ListensOnlyWhereAsked) {
  const Registry registry;
  const auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  EXPECT_NE(Get("127.0.0.1", (*exposer)->port(), "/metrics"), "");
  EXPECT_EQ(Get("127.0.0.2", (*exposer)->port(), "/metrics"), "");
}

TEST(Exposer, TakesAName) {
  const Registry registry;
  const auto exposer = Exposer::Start(registry, "localhost:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  EXPECT_NE(Get("127.0.0.1", (*exposer)->port(), "/metrics"), "");
}

TEST(Exposer, ListensOnIpv6) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  const Registry registry;
  const auto loopback = Exposer::Start(registry, "[::1]:0");
  ASSERT_TRUE(loopback.ok()) << loopback.status();
  EXPECT_THAT(Get("::1", (*loopback)->port(), "/metrics"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(Get("127.0.0.1", (*loopback)->port(), "/metrics"), "");
}

TEST(Exposer, ListensOnEveryInterface) {
  const Registry registry;
  const auto ipv4 = Exposer::Start(registry, "0.0.0.0:0");
  ASSERT_TRUE(ipv4.ok()) << ipv4.status();
  EXPECT_THAT(Get("127.0.0.2", (*ipv4)->port(), "/metrics"), StartsWith("HTTP/1.1 200 OK"));

  if (!HasIpv6()) GTEST_SKIP() << "this machine has no IPv6";
  const auto both = Exposer::Start(registry, "[::]:0");
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_THAT(Get("127.0.0.1", (*both)->port(), "/metrics"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(Get("::1", (*both)->port(), "/metrics"), StartsWith("HTTP/1.1 200 OK"));
}

TEST(Exposer, StopsWithItsEnd) {
  const Registry registry;
  auto exposer = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(exposer.ok()) << exposer.status();
  const int port = (*exposer)->port();
  exposer->reset();
  EXPECT_EQ(Get("127.0.0.1", port, "/metrics"), "");
}

TEST(Exposer, NamesTheAddressThatIsTaken) {
  const Registry registry;
  const auto first = Exposer::Start(registry, "127.0.0.1:0");
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string address = "127.0.0.1:" + std::to_string((*first)->port());
  const auto second = Exposer::Start(registry, address);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(HasSubstr("\"" + address + "\""), HasSubstr("Address already in use")));
}

TEST(Exposer, NamesTheAddressThatIsNotThisMachines) {
  const Registry registry;
  const auto exposer = Exposer::Start(registry, "192.0.2.1:0");  // of RFC 5737, for documentation
  EXPECT_EQ(exposer.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(exposer.status().message()), HasSubstr("192.0.2.1:0"));
}

TEST(Exposer, RefusesWhatIsNoAddress) {
  const struct {
    const char* address;
    const char* message;
  } rows[] = {
      {"", "wants host:port"},
      {"8002", "wants host:port"},
      {":8002", "wants host:port"},
      {"127.0.0.1", "wants host:port"},
      {"127.0.0.1:", "wants a port from 0 to 65535, got \"\""},
      {"127.0.0.1:http", "wants a port from 0 to 65535, got \"http\""},
      {"127.0.0.1:65536", "wants a port from 0 to 65535, got \"65536\""},
      {"127.0.0.1:-1", "wants a port from 0 to 65535, got \"-1\""},
      {"127.0.0.1:80,8080", "wants a port from 0 to 65535, got \"80,8080\""},
      {"::1:8002", "an IPv6 address in brackets"},
      {"[::1]", "wants [IPv6 address]:port"},
      {"[::1", "wants [IPv6 address]:port"},
      {"[localhost]:8002", "host \"localhost\""},
      {"[]:8002", "host \"\""},
  };
  const Registry registry;
  for (const auto& row : rows) {
    const auto exposer = Exposer::Start(registry, row.address);
    EXPECT_EQ(exposer.status().code(), absl::StatusCode::kInvalidArgument) << row.address;
    EXPECT_THAT(std::string(exposer.status().message()),
                AllOf(StartsWith("metrics address \"" + std::string(row.address) + "\": "),
                      HasSubstr(row.message)));
  }
}

}  // namespace
}  // namespace lazynet::metrics
