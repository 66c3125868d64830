// `lazynet top`: what it makes of two pages of metrics, how that looks, and where pages come from.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "service/cli/http_get.h"
#include "service/cli/server_load.h"
#include "service/cli/text_report.h"
#include "tests/service/cli/support.h"

namespace lazynet::cli {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What a model's metrics are at a moment.
struct ModelNumbers {
  std::string model;
  int ok = 0;
  int refused = 0;
  int fast = 0;  // of the answers: up to 1 ms; the others up to 10 ms
  int in_flight = 0;
};

std::string Page(const std::vector<ModelNumbers>& models, double cpu_seconds = 10) {
  std::string page = fmt::format(
      "# TYPE lazynet_build_info gauge\n"
      "lazynet_build_info{{version=\"0.1.0\"}} 1\n"
      "lazynet_lanes 2\n"
      "lazynet_queue_depth 3\n"
      "lazynet_queue_capacity 1024\n"
      "lazynet_build_queue_depth 1\n"
      "lazynet_workspace_bytes 1048576\n"
      "process_resident_memory_bytes 2097152\n"
      "process_start_time_seconds 1000\n"
      "process_cpu_seconds_total {}\n"
      "lazynet_requests_total{{model=\"\",version=\"\",code=\"NOT_FOUND\"}} 0\n",
      cpu_seconds);
  for (const ModelNumbers& numbers : models) {
    const std::string labels = fmt::format("model=\"{}\",version=\"1\"", numbers.model);
    const int all = numbers.ok + numbers.refused;
    const auto add = [&](const std::string& name, const std::string& more, double value) {
      page += fmt::format("lazynet_{}{{{}{}{}}} {}\n", name, labels, more.empty() ? "" : ",", more,
                          value);
    };
    add("requests_total", "code=\"OK\"", numbers.ok);
    add("requests_total", "code=\"RESOURCE_EXHAUSTED\"", numbers.refused);
    add("request_duration_seconds_bucket", "le=\"0.001\"", numbers.fast);
    add("request_duration_seconds_bucket", "le=\"0.01\"", all);
    add("request_duration_seconds_bucket", "le=\"+Inf\"", all);
    add("queue_duration_seconds_sum", "", 0.002 * numbers.ok);
    add("queue_duration_seconds_count", "", numbers.ok);
    add("requests_in_flight", "", numbers.in_flight);
    add("network_state", "state=\"lazy\"", 0);
    add("network_state", "state=\"ready\"", 1);
    add("parameter_bytes", "", 5000);
    add("mapped_parameter_bytes", "", 4000);
    add("packed_weight_bytes", "", 100);
    add("plan_cache_bytes", "", 10);
  }
  return page;
}

ServerLoad Load(const std::string& before, const std::string& after, int time = 2) {
  const auto first = ReadServerSample(before), second = ReadServerSample(after);
  EXPECT_TRUE(first.ok() && second.ok());
  return LoadBetween(*first, *second, seconds(time));
}

TEST(HistogramQuantile, IsInterpolatedWithinABucket) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<double, double>> histogram{{1, 10}, {2, 30}, {4, 40}, {infinity, 50}};
  EXPECT_DOUBLE_EQ(HistogramQuantile(0.1, histogram), 0.5);
  EXPECT_DOUBLE_EQ(HistogramQuantile(0.2, histogram), 1);
  EXPECT_DOUBLE_EQ(HistogramQuantile(0.4, histogram), 1.5);
  EXPECT_DOUBLE_EQ(HistogramQuantile(0.7, histogram), 3);
  EXPECT_DOUBLE_EQ(HistogramQuantile(0.99, histogram), 4);  // longer than the last bound
  EXPECT_TRUE(std::isnan(HistogramQuantile(0.5, {{1, 0}, {infinity, 0}})));
  EXPECT_TRUE(std::isnan(HistogramQuantile(0.5, {})));
}

TEST(ServerLoad, IsWhatWentOnInBetween) {
  const ServerLoad load =
      Load(Page({{.model = "a", .ok = 100, .refused = 10, .fast = 0}}),
           Page({{.model = "a", .ok = 300, .refused = 30, .fast = 110, .in_flight = 4}}, 13));
  ASSERT_EQ(load.models.size(), 1u);
  const ModelLoad& model = load.models[0];
  EXPECT_EQ(model.name, "a");
  EXPECT_EQ(model.version, "1");
  EXPECT_EQ(model.state, "ready");
  EXPECT_DOUBLE_EQ(model.answers_per_second, 110);
  EXPECT_DOUBLE_EQ(model.errors_per_second, 10);
  EXPECT_DOUBLE_EQ(model.p50_seconds, 0.001);  // 110 of the 220 in between took at most that
  EXPECT_DOUBLE_EQ(model.queue_seconds, 0.002);
  EXPECT_EQ(model.in_flight, 4);
  EXPECT_EQ(model.bytes, 1110);
  EXPECT_DOUBLE_EQ(load.cpus, 1.5);
  EXPECT_DOUBLE_EQ(load.answers_per_second, 110);
  EXPECT_EQ(load.server.queue_depth, 3);
}

TEST(ServerLoad, StartsFrom0WithAModelThatIsNewOrWasLoadedAgain) {
  const ServerLoad load = Load(
      Page({{.model = "again", .ok = 1000, .fast = 1000}}),
      Page({{.model = "again", .ok = 10, .fast = 10}, {.model = "new", .ok = 20, .fast = 20}}));
  ASSERT_EQ(load.models.size(), 2u);
  EXPECT_EQ(load.models[0].name, "new");  // the busier one first
  EXPECT_DOUBLE_EQ(load.models[0].answers_per_second, 10);
  EXPECT_DOUBLE_EQ(load.models[1].answers_per_second, 5);
  EXPECT_DOUBLE_EQ(load.models[1].p50_seconds, 0.0005);
}

TEST(ServerLoad, OfNoRequestsHasNoPercentiles) {
  const std::string page = Page({{.model = "idle", .ok = 5, .fast = 5}});
  const ServerLoad load = Load(page, page);
  EXPECT_EQ(load.models[0].answers_per_second, 0);
  EXPECT_TRUE(std::isnan(load.models[0].p99_seconds));
  EXPECT_TRUE(std::isnan(load.models[0].queue_seconds));
}

TEST(ServerLoad, WantsTheMetricsOfALazynetServer) {
  EXPECT_EQ(ReadServerSample("up 1\n").status().message(),
            "these are not the metrics of a lazynet-server");
  EXPECT_FALSE(ReadServerSample("<html>").ok());
}

TEST(TopFrame, FitsTheTerminal) {
  const ServerLoad load =
      Load(Page({{.model = "mnist"}, {.model = "idle"}}),
           Page({{.model = "mnist", .ok = 3000, .refused = 1, .fast = 2950, .in_flight = 8},
                 {.model = "idle"}},
                12));
  EXPECT_THAT(
      text::TopFrame(load, "127.0.0.1:8002", 1000 + 3 * 3600 + 125, {.columns = 80, .rows = 24}),
      ElementsAre(
          "lazynet 0.1.0 at 127.0.0.1:8002, up 3 h 2 min, 1.00 CPUs, 2.0 MiB resident",
          "1500 requests/s, 0.50 errors/s; 2 lanes, 3 of 1024 queued, 1 builds queued",
          "memory: models 2.2 KiB, workspaces 1.0 MiB", "",
          "MODEL             VER STATE    REQ/S  ERR/S    P50    P99  FLY   WAIT     MEMORY",
          "mnist               1 ready     1500   0.50  509us 4.70ms    8 2.00ms    1.1 KiB",
          "idle                1 ready        0      0      -      -    0      -    1.1 KiB"));
}

TEST(TopFrame, ShowsTheBusiestWhereThereIsNoRoomForAll) {
  std::vector<ModelNumbers> before, after;
  for (int i = 0; i < 30; ++i) {
    before.push_back({.model = fmt::format("a-model-with-a-long-name-{:02}", i)});
    after.push_back(before.back());
    after.back().ok = 2 * i;
  }
  const ServerLoad load = Load(Page(before), Page(after));
  const auto lines = text::TopFrame(load, "h:1", 2000, {.columns = 80, .rows = 24});
  ASSERT_EQ(lines.size(), 23u);  // one is left for the cursor
  EXPECT_THAT(lines[5], ::testing::StartsWith("a-model-with-a-l~ "));
  EXPECT_THAT(lines[5], HasSubstr(" 29.0 "));
  EXPECT_EQ(lines.back(), "... 13 more models");
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_EQ(text::TopFrame(load, "h:1", 2000, {.columns = 80, .rows = 0}).size(), 35u);
  for (const std::string& line : text::TopFrame(load, "h:1", 2000, {.columns = 40, .rows = 10})) {
    EXPECT_LE(line.size(), 40u) << line;
  }
}

TEST(TopFrame, PassesNoControlCharactersOn) {
  const std::string page = Page({{.model = "a\x1b[31mb"}});
  for (const std::string& line :
       text::TopFrame(Load(page, page), "h:1", 2000, {.columns = 80, .rows = 24})) {
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

// Answers each connection in turn with these bytes.
class HttpServer {
 public:
  explicit HttpServer(std::vector<std::string> answers) : file_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(file_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(file_, 8), 0);
    getsockname(file_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answers = std::move(answers)] {
      for (const std::string& answer : answers) {
        const int connection = accept(file_, nullptr, nullptr);
        char request[1024];
        EXPECT_GT(recv(connection, request, sizeof(request), 0), 0);
        EXPECT_EQ(send(connection, answer.data(), answer.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(answer.size()));
        close(connection);
      }
    });
  }
  ~HttpServer() {
    thread_.join();
    close(file_);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  const int file_;
  int port_ = 0;
  std::thread thread_;
};

std::string Ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body;
}

TEST(Top, PrintsOneFrame) {
  const HttpServer server({Ok(Page({{.model = "a"}})), Ok(Page({{.model = "a", .ok = 7}}))});
  const Outcome outcome =
      RunClient({"top", "--once", "--interval", "0.01", "--server", server.address()});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("lazynet 0.1.0 at " + server.address()));
  EXPECT_THAT(outcome.out, HasSubstr("\na                   1 ready"));
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
}

TEST(Top, PrintsJson) {
  const HttpServer server({Ok(Page({{.model = "a"}})), Ok(Page({{.model = "a", .ok = 7}}))});
  const Outcome outcome =
      RunClient({"top", "--once", "--json", "--interval", "0.01", "--server", server.address()});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["models"][0]["name"], "a");
  EXPECT_GT(json["models"][0]["answers_per_second"], 0);
  EXPECT_EQ(json["queue_capacity"], 1024);
  EXPECT_TRUE(json["memory_budget_bytes"].is_null());
}

TEST(Top, SaysWhatItDidNotFind) {
  const HttpServer server({"HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0\r\n", Ok("up 1\n")});
  const auto top = [&](const std::string& address) {
    return RunClient({"top", "--once", "--interval", "0.01", "--server", address});
  };
  const Outcome missing = top(server.address());
  EXPECT_EQ(missing.code, kRefused);
  EXPECT_THAT(missing.err, HasSubstr("/metrics answers \"HTTP/1.1 404 Not Found\""));
  EXPECT_THAT(top(server.address()).err, HasSubstr("is no HTTP server"));
  EXPECT_THAT(top(server.address()).err, HasSubstr("not the metrics of a lazynet-server"));
  EXPECT_EQ(top("127.0.0.1").code, kUsage);
  const Outcome nobody = top("127.0.0.1:1");
  EXPECT_EQ(nobody.code, kUnreachable);
  EXPECT_THAT(nobody.err, HasSubstr("no metrics at 127.0.0.1:1: Connection refused"));
}

TEST(HttpGet, TakesNoPartForTheWhole) {
  const std::string chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  const struct {
    std::string answer;
    std::optional<std::string> body;
  } rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", "whole"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nwhole", std::nullopt},
      {chunked + "3\r\nwho\r\n0002\r\nle\r\n0\r\n\r\n", "whole"},
      {chunked + "3\r\nwho\r\n0002\r\nle\r\n", std::nullopt},
      {chunked + "3\r\nwho\r\n0002\r\nl", std::nullopt},
      {chunked + "ffffffffffffffff\r\nwho", std::nullopt},
      {chunked, std::nullopt},
      {"HTTP/1.1 200 OK\r\n\r\nwhole", "whole"},
  };
  for (const auto& row : rows) {
    const HttpServer server({row.answer});
    const auto body = HttpGet(server.address(), "/", seconds(60));
    if (row.body) {
      ASSERT_TRUE(body.ok()) << body.status();
      EXPECT_EQ(*body, *row.body);
    } else {
      EXPECT_EQ(body.status().code(), absl::StatusCode::kUnavailable) << row.answer;
    }
  }
}

// Accepts, and says nothing.
class SilentServer {
 public:
  SilentServer() : file_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(file_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(file_, 8), 0);
    getsockname(file_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SilentServer() { close(file_); }

  const std::string& address() const { return address_; }

 private:
  const int file_;
  std::string address_;
};

TEST(Top, HasItsTimeForEachLook) {
  const SilentServer server;
  const Outcome outcome = RunClient({"top", "--timeout", "0.2", "--server", server.address()});
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_THAT(outcome.err, HasSubstr("timed out"));
}

TEST(Top, HasNoUseForCredentials) {
  EXPECT_EQ(RunClient({"top", "--tls"}).code, kUsage);
  EXPECT_EQ(RunClient({"top", "--token-file", "token"}).code, kUsage);
  setenv("LAZYNET_CLIENT_TLS_CA", "/no/such/file", 1);
  const Outcome outcome = RunClient({"top", "--server", "127.0.0.1:1"});
  unsetenv("LAZYNET_CLIENT_TLS_CA");
  EXPECT_EQ(outcome.code, kUnreachable) << outcome.err;
}

TEST(Top, EndsWhenNobodyReads) {
  const HttpServer server({Ok(Page({})), Ok(Page({}))});
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  EXPECT_NE(Main({"top", "--json", "--interval", "0.01", "--server", server.address()}, out, err),
            kDone);
}

}  // namespace
}  // namespace lazynet::cli
