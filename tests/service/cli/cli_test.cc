// Every command but `infer`, against a server that answers what the test wants.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "service/version.h"
#include "tests/service/cli/fake_server.h"
#include "tests/service/cli/support.h"

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

class CliTest : public testing::Test {
 protected:
  Outcome Ask(std::vector<std::string> args) {
    args.insert(args.begin() + 1, {"--server", server_.address()});
    return RunClient(args);
  }

  void AnswerHealth(HealthCheckResponse::ServingStatus status) {
    server_.handlers.health = [status](const HealthCheckRequest&) {
      HealthCheckResponse response;
      response.set_status(status);
      return response;
    };
  }

  FakeServer server_;
};

TEST_F(CliTest, HelpNamesEveryCommandAndEveryCommandHasHelp) {
  const Outcome all = RunClient({"--help"});
  EXPECT_EQ(all.code, kDone);
  EXPECT_THAT(all.out, HasSubstr("Exit status:"));
  for (const char* command : {"models", "metadata", "describe", "infer", "health", "wait"}) {
    EXPECT_THAT(all.out, HasSubstr(std::string("\n  ") + command));
    const Outcome one = RunClient({command, "--help"});
    EXPECT_EQ(one.code, kDone) << command;
    EXPECT_EQ(one.err, "") << command;
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

v1::Parameter MakeParameter(const std::string& name, const std::vector<int64_t>& shape,
                            v1::ParameterOrigin origin) {
  v1::Parameter parameter;
  parameter.set_name(name);
  parameter.set_datatype("FP32");
  for (const int64_t dim : shape) parameter.add_shape(dim);
  parameter.set_origin(origin);
  parameter.set_state(origin == v1::ORIGIN_UNSPECIFIED ? v1::PARAMETER_STATE_UNINITIALIZED
                                                       : v1::PARAMETER_STATE_INITIALIZED);
  return parameter;
}

v1::DescribeNetworkResponse LazyNetwork() {
  v1::DescribeNetworkResponse response;
  response.set_name("lazy_mlp");
  response.set_version("1");
  response.set_state(v1::NETWORK_STATE_LAZY);
  response.set_repr_before("Net(\n  (fc1): LazyLinear(in_features=0, out_features=10)\n)");
  response.set_repr(response.repr_before());
  auto& layer = *response.add_layers();
  layer.set_name("fc1");
  layer.set_type("LazyLinear");
  layer.add_inputs("input");
  layer.set_has_uninitialized_params(true);
  *layer.add_parameters() = MakeParameter("fc1.weight", {10, -1}, v1::ORIGIN_UNSPECIFIED);
  *layer.add_parameters() = MakeParameter("fc1.bias", {10}, v1::ORIGIN_CHECKPOINT);
  layer.mutable_parameters(1)->set_bytes(40);
  *layer.add_parameters() = MakeParameter("fc1.mean", {10}, v1::ORIGIN_INITIALIZER);
  layer.mutable_parameters(2)->set_bytes(4096);
  layer.mutable_parameters(2)->set_buffer(true);
  response.set_has_uninitialized_params(true);
  response.set_known_parameter_count(10);
  response.add_unknown_parameters("fc1.weight");
  response.set_parameter_bytes(4136);
  return response;
}

v1::DescribeNetworkResponse BoundNetwork() {
  v1::DescribeNetworkResponse response = LazyNetwork();
  response.set_state(v1::NETWORK_STATE_READY);
  response.set_repr("Net(\n  (fc1): Linear(in_features=4, out_features=10)\n)");
  response.clear_unknown_parameters();
  response.set_has_uninitialized_params(false);
  v1::Binding& binding = *response.mutable_binding();
  binding.set_source("first_request");
  v1::BoundInput& input = *binding.add_inputs();
  input.set_name("input");
  input.set_datatype("FP32");
  input.add_shape(2);
  input.add_shape(4);
  binding.set_seed(5);
  binding.set_draw_order("TORCH");
  binding.mutable_time()->set_seconds(1'700'000'000);
  v1::Plan& plan = *response.add_plans();
  *plan.add_inputs() = input;
  plan.set_arena_bytes(2048);
  plan.set_op_count(3);
  return response;
}

TEST_F(CliTest, DescribesANetworkBeforeItsSizesAreFixed) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest& request) {
    EXPECT_EQ(request.name(), "lazy_mlp");
    EXPECT_EQ(request.version(), "");
    return LazyNetwork();
  };
  EXPECT_EQ(Ask({"describe", "lazy_mlp"}).out,
            "lazy_mlp version 1: lazy\n"
            "\n"
            "as defined, and now:\n"
            "Net(\n"
            "  (fc1): LazyLinear(in_features=0, out_features=10)\n"
            ")\n"
            "\n"
            "parameter   datatype  shape    origin                  bytes\n"
            "fc1.weight  FP32      [10, ?]  uninitialized               -\n"
            "fc1.bias    FP32      [10]     checkpoint               40 B\n"
            "fc1.mean    FP32      [10]     initializer (buffer)  4.0 KiB\n"
            "\n"
            "parameters  10 elements known; 1 without a size: fc1.weight\n"
            "memory      4.0 KiB parameters, 0 B packed weights\n"
            "binding     none: nothing has fixed the sizes yet\n"
            "plans       none\n");
}

TEST_F(CliTest, DescribesANetworkAfterItsSizesAreFixed) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest&) { return BoundNetwork(); };
  EXPECT_THAT(
      Ask({"describe", "lazy_mlp"}).out,
      AllOf(HasSubstr("as defined:\nNet(\n  (fc1): LazyLinear("),
            HasSubstr("now:\nNet(\n  (fc1): Linear(in_features=4"),
            HasSubstr("binding     first_request of input FP32 [2, 4], seed 5, draw order TORCH, "
                      "2023-11-14T22:13:20Z\n"),
            HasSubstr("\nplan for             arena  scratch  ops\n"
                      "input FP32 [2, 4]  2.0 KiB      0 B    3\n")));
}

TEST_F(CliTest, DescribesInJson) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest& request) {
    return request.name() == "lazy_mlp" ? LazyNetwork() : BoundNetwork();
  };
  const json lazy = json::parse(Ask({"describe", "lazy_mlp", "--json"}).out);
  EXPECT_EQ(lazy["state"], "lazy");
  EXPECT_EQ(lazy["binding"], nullptr);
  EXPECT_EQ(lazy["unknown_parameters"], json({"fc1.weight"}));
  EXPECT_EQ(lazy["layers"][0]["parameters"][0], json::parse(R"({
      "name": "fc1.weight", "datatype": "FP32", "shape": [10, -1], "state": "uninitialized",
      "origin": null, "buffer": false, "bytes": 0})"));
  EXPECT_EQ(lazy["layers"][0]["parameters"][1]["origin"], "checkpoint");
  const json bound = json::parse(Ask({"describe", "bound", "--json"}).out);
  EXPECT_EQ(bound["state"], "ready");
  EXPECT_EQ(bound["binding"], json::parse(R"({
      "source": "first_request", "seed": 5, "draw_order": "TORCH",
      "inputs": [{"name": "input", "datatype": "FP32", "shape": [2, 4]}],
      "time": "2023-11-14T22:13:20Z"})"));
  EXPECT_EQ(bound["plans"][0]["op_count"], 3);
}

TEST_F(CliTest, SaysWhyANetworkIsUnavailable) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest&) {
    v1::DescribeNetworkResponse response;
    response.set_name("broken");
    response.set_state(v1::NETWORK_STATE_UNAVAILABLE);
    response.set_reason("line 3: no such layer");
    return response;
  };
  EXPECT_EQ(Ask({"describe", "broken"}).out, "broken: unavailable, line 3: no such layer\n");
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
