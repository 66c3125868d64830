// Commands that only ask, and the command line, against a server that answers what the test wants.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "service/version.h"
#include "tests/service/cli/client_test.h"

namespace lazynet::cli {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Nobody can listen there.
constexpr const char* kNowhere = "unix:/nonexistent/lazynet";

class CliTest : public ClientTest {
 protected:
  void AnswerHealth(HealthCheckResponse::ServingStatus status) {
    server_.handlers.health = [status](const HealthCheckRequest&) {
      HealthCheckResponse response;
      response.set_status(status);
      return response;
    };
  }
};

TEST_F(CliTest, HelpNamesEveryCommandAndEveryCommandHasHelp) {
  const Outcome all = RunClient({"--help"});
  EXPECT_EQ(all.code, kDone);
  EXPECT_THAT(all.out, HasSubstr("Exit status:"));
  const std::vector<std::vector<std::string>> commands = {{"models"},
                                                          {"metadata"},
                                                          {"describe"},
                                                          {"infer"},
                                                          {"bench"},
                                                          {"top"},
                                                          {"health"},
                                                          {"wait"},
                                                          {"watch"},
                                                          {"materialize"},
                                                          {"state-dict", "save"},
                                                          {"state-dict", "load"},
                                                          {"state-dict", "diff"},
                                                          {"checkpoint", "save"},
                                                          {"checkpoint", "load"},
                                                          {"reset"},
                                                          {"register"},
                                                          {"unregister"}};
  for (std::vector<std::string> command : commands) {
    EXPECT_THAT(all.out, HasSubstr("\n  " + command[0]));
    command.push_back("--help");
    const Outcome one = RunClient(command);
    EXPECT_EQ(one.code, kDone) << command[0];
    EXPECT_EQ(one.err, "") << command[0];
    EXPECT_THAT(one.out, AllOf(HasSubstr("--server"), HasSubstr("--json"), HasSubstr("--timeout"),
                               HasSubstr("Examples:")));
  }
}

TEST_F(CliTest, SaysItsVersion) {
  const Outcome outcome = RunClient({"--version"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_EQ(outcome.out, std::string("lazynet ") + kVersion + "\n");
}

TEST_F(CliTest, RefusesArgumentsThatMakeNoSense) {
  const std::vector<std::vector<std::string>> rows = {{},
                                                      {"nothing"},
                                                      {"models", "extra"},
                                                      {"describe"},
                                                      {"metadata"},
                                                      {"models", "--timeout"},
                                                      {"wait", "--timeout=-1"},
                                                      {"models", "--what"}};
  for (const auto& args : rows) {
    const Outcome outcome = RunClient(args);
    EXPECT_EQ(outcome.code, kUsage) << (args.empty() ? "" : args.back());
    EXPECT_NE(outcome.err, "");
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(CliTest, SaysWhenNoServerIsReached) {
  const std::vector<std::vector<std::string>> rows = {
      {"models"}, {"metadata", "m"}, {"describe", "m"}, {"infer", "m", "--input", "zeros:1"}};
  for (std::vector<std::string> args : rows) {
    args.insert(args.end(), {"--server", kNowhere});
    const Outcome outcome = RunClient(args);
    EXPECT_EQ(outcome.code, kUnreachable) << args[0];
    EXPECT_THAT(outcome.err,
                HasSubstr(std::string("lazynet: UNAVAILABLE: no server reached at ") + kNowhere));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(CliTest, WaitsForNoAnswerLongerThanItsTimeout) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);  // connects, and then says nothing
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 8), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string server = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  const Outcome outcome = RunClient({"models", "--server", server, "--timeout", "0.2"});
  close(listener);
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("DEADLINE_EXCEEDED: no server reached at " + server),
                                 HasSubstr("(--timeout 0.2)")));
}

TEST_F(CliTest, TakesTheServerFromTheEnvironmentUnlessToldOtherwise) {
  server_.handlers.index = [](const inference::RepositoryIndexRequest&) {
    return inference::RepositoryIndexResponse();
  };
  setenv("LAZYNET_SERVER", server_.address().c_str(), 1);
  EXPECT_EQ(RunClient({"models"}).code, kDone);
  EXPECT_EQ(RunClient({"models", "--server", kNowhere}).code, kUnreachable);
  setenv("LAZYNET_SERVER", kNowhere, 1);
  EXPECT_EQ(RunClient({"models"}).code, kUnreachable);
  EXPECT_EQ(RunClient({"models", "--server", server_.address()}).code, kDone);
  unsetenv("LAZYNET_SERVER");
}

TEST_F(CliTest, UsesNoProxyOfTheEnvironment) {
  AnswerHealth(HealthCheckResponse::SERVING);
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_EQ(Ask({"health"}).code, kDone);
  unsetenv("http_proxy");
}

TEST_F(CliTest, ListsModels) {
  server_.handlers.index = [](const inference::RepositoryIndexRequest& request) {
    EXPECT_FALSE(request.ready());
    inference::RepositoryIndexResponse response;
    const char* rows[][4] = {{"mnist", "1", "READY", ""},
                             {"broken", "12", "UNAVAILABLE", "line 3: no \x1b[31msuch layer"}};
    for (const auto& row : rows) {
      auto& model = *response.add_models();
      model.set_name(row[0]);
      model.set_version(row[1]);
      model.set_state(row[2]);
      model.set_reason(row[3]);
    }
    return response;
  };
  EXPECT_EQ(Ask({"models"}).out,
            "name    version  state        reason\n"
            "mnist         1  READY\n"
            "broken       12  UNAVAILABLE  line 3: no ?[31msuch layer\n");
  const json report = json::parse(Ask({"models", "--json"}).out);
  EXPECT_EQ(report["models"][0],
            json::parse(R"({"name": "mnist", "version": "1", "state": "READY", "reason": ""})"));
  EXPECT_EQ(report["models"][1]["reason"], "line 3: no \x1b[31msuch layer");
}

TEST_F(CliTest, SaysThatThereAreNoModels) {
  server_.handlers.index = [](const inference::RepositoryIndexRequest&) {
    return inference::RepositoryIndexResponse();
  };
  EXPECT_EQ(Ask({"models"}).out, "no models\n");
  EXPECT_EQ(json::parse(Ask({"models", "--json"}).out), json::parse(R"({"models": []})"));
}

TEST_F(CliTest, PrintsMetadata) {
  server_.handlers.metadata = [](const inference::ModelMetadataRequest& request) {
    EXPECT_EQ(request.name(), "mnist");
    EXPECT_EQ(request.version(), "3");
    inference::ModelMetadataResponse response;
    response.set_name("mnist");
    response.add_versions("1");
    response.add_versions("3");
    response.set_platform("lazynet_network");
    auto& input = *response.add_inputs();
    input.set_name("input");
    input.set_datatype("FP32");
    for (const int64_t dim : {-1, 1, 28}) input.add_shape(dim);
    auto& output = *response.add_outputs();
    output.set_name("logits");
    output.set_datatype("FP32");
    output.add_shape(10);
    (*response.mutable_properties())["materialized"] = "true";
    (*response.mutable_properties())["compute"] = "FP32";
    return response;
  };
  EXPECT_EQ(Ask({"metadata", "mnist", "--version", "3"}).out,
            "mnist (lazynet_network), versions 1, 3\n"
            "\n"
            "        name    datatype  shape\n"
            "input   input   FP32      [?, 1, 28]\n"
            "output  logits  FP32      [10]\n"
            "\n"
            "compute: FP32\n"
            "materialized: true\n");
  EXPECT_EQ(json::parse(Ask({"metadata", "mnist", "--version", "3", "--json"}).out),
            json::parse(R"({
      "name": "mnist", "versions": ["1", "3"], "platform": "lazynet_network",
      "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 1, 28]}],
      "outputs": [{"name": "logits", "datatype": "FP32", "shape": [10]}],
      "properties": {"compute": "FP32", "materialized": "true"}})"));
}

TEST_F(CliTest, PassesTheServersErrorsOn) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest& request) {
    return NotFound("no model \"{}\"", request.name());
  };
  const Outcome outcome = Ask({"describe", "nobody", "--json"});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "lazynet: NOT_FOUND: no model \"nobody\"\n");
}

TEST_F(CliTest, HealthIsAnExitCode) {
  AnswerHealth(HealthCheckResponse::SERVING);
  const Outcome serving = Ask({"health"});
  EXPECT_EQ(serving.code, 0);
  EXPECT_EQ(serving.out, server_.address() + ": SERVING\n");
  AnswerHealth(HealthCheckResponse::NOT_SERVING);
  const Outcome draining = Ask({"health", "--json"});
  EXPECT_EQ(draining.code, 1);
  EXPECT_EQ(json::parse(draining.out), json::parse(R"({"service": "", "status": "NOT_SERVING"})"));
  const Outcome nobody = RunClient({"health", "--server", kNowhere});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("no server reached at"));
}

TEST_F(CliTest, HealthOfAModelAsksForIt) {
  server_.handlers.health =
      [](const HealthCheckRequest& request) -> absl::StatusOr<HealthCheckResponse> {
    if (request.service() != "mnist") return NotFound("unknown service \"{}\"", request.service());
    HealthCheckResponse response;
    response.set_status(HealthCheckResponse::SERVING);
    return response;
  };
  EXPECT_EQ(Ask({"health", "mnist"}).out, "mnist at " + server_.address() + ": SERVING\n");
  const Outcome outcome = Ask({"health", "nobody"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "lazynet: NOT_FOUND: unknown service \"nobody\"\n");
}

TEST_F(CliTest, WaitsUntilTheServerIsHealthy) {
  std::atomic<int> calls = 0;
  server_.handlers.health = [&](const HealthCheckRequest&) -> absl::StatusOr<HealthCheckResponse> {
    const int call = ++calls;
    if (call == 1) return absl::UnavailableError("models load");
    HealthCheckResponse response;
    response.set_status(call < 3 ? HealthCheckResponse::NOT_SERVING : HealthCheckResponse::SERVING);
    return response;
  };
  const Outcome outcome = Ask({"wait"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(outcome.out, server_.address() + ": SERVING\n");
  EXPECT_EQ(calls, 3);
}

TEST_F(CliTest, WaitsNoLongerThanToldAndSaysWhatItLastHeard) {
  AnswerHealth(HealthCheckResponse::NOT_SERVING);
  const Outcome refused = Ask({"wait", "--timeout", "0.3"});
  EXPECT_EQ(refused.code, kRefused);
  EXPECT_EQ(refused.err,
            "lazynet: " + server_.address() + " is not SERVING after 0.3 s: NOT_SERVING\n");
  const Outcome nobody = RunClient({"wait", "--server", kNowhere, "--timeout", "0.3"});
  EXPECT_EQ(nobody.code, kUnreachable);
  EXPECT_THAT(nobody.err, AllOf(HasSubstr("is not SERVING after 0.3 s: UNAVAILABLE"),
                                Not(HasSubstr("DEADLINE"))));
}

TEST_F(CliTest, WaitsForNoHealthServiceThatWillNeverBe) {
  const Outcome outcome = Ask({"wait"});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("UNIMPLEMENTED"));
}

}  // namespace
}  // namespace lazynet::cli
