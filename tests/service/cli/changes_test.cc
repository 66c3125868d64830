// The commands that change something, and `lazynet watch`.

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/service/cli/client_test.h"

namespace lazynet::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ChangesTest : public ClientTest {
 protected:
  // A network that takes these inputs.
  void AnswerDescribe(const std::vector<std::string>& inputs) {
    server_.handlers.describe = [inputs](const v1::DescribeNetworkRequest&) {
      v1::DescribeNetworkResponse response;
      for (const std::string& name : inputs) {
        v1::BoundInput& input = *response.add_inputs();
        input.set_name(name);
        input.set_datatype("FP32");
        input.add_shape(-1);
      }
      return response;
    };
  }

  void AnswerMaterialize(const v1::InitializeParametersResponse& response) {
    server_.handlers.materialize = [this,
                                    response](const v1::InitializeParametersRequest& request) {
      materialize_ = request;
      return response;
    };
  }

  v1::InitializeParametersRequest materialize_;
};

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

v1::InitializeParametersResponse Created() {
  v1::InitializeParametersResponse response;
  v1::ParameterDescription& parameter = *response.add_created();
  parameter.set_name("fc1.weight");
  parameter.set_datatype("FP32");
  parameter.add_shape(10);
  parameter.add_shape(4);
  parameter.set_state(v1::PARAMETER_STATE_INITIALIZED);
  parameter.set_origin(v1::ORIGIN_INITIALIZER);
  parameter.set_bytes(160);
  response.set_created_bytes(160);
  response.set_parameter_bytes(200);
  v1::BoundInput& output = *response.add_outputs();
  output.set_name("output");
  output.set_datatype("FP32");
  output.add_shape(2);
  output.add_shape(10);
  response.mutable_binding()->set_source("admin");
  response.mutable_binding()->set_draw_order("TORCH");
  response.set_parameter_hash("0123abcd");
  return response;
}

TEST_F(ChangesTest, MaterializesByShapes) {
  AnswerDescribe({"x"});
  AnswerMaterialize(Created());
  const Outcome outcome = Ask({"materialize", "m", "--version", "2", "--shape", "2,4"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(outcome.out,
            "parameters created: 1, 160 B; 200 B in all\n"
            "\n"
            "parameter   datatype  shape    bytes\n"
            "fc1.weight  FP32      [10, 4]  160 B\n"
            "\n"
            "outputs     output FP32 [2, 10]\n"
            "binding     admin, seed 0, draw order TORCH\n"
            "hash        0123abcd\n");
  EXPECT_EQ(materialize_.name(), "m");
  EXPECT_EQ(materialize_.version(), "2");
  EXPECT_FALSE(materialize_.validate_only());
  ASSERT_EQ(materialize_.inputs_size(), 1);
  EXPECT_EQ(materialize_.inputs(0).name(), "x");
  EXPECT_EQ(materialize_.inputs(0).datatype(), "");
  EXPECT_THAT(materialize_.inputs(0).shape(), ElementsAre(2, 4));
}

TEST_F(ChangesTest, MaterializesInJson) {
  AnswerDescribe({"x"});
  AnswerMaterialize(Created());
  EXPECT_EQ(json::parse(Ask({"materialize", "m", "--shape", "2,4", "--json"}).out), json::parse(R"({
      "created": [{"name": "fc1.weight", "datatype": "FP32", "shape": [10, 4],
                   "state": "initialized", "origin": "initializer", "buffer": false, "bytes": 160}],
      "created_bytes": 160, "parameter_bytes": 200, "errors": [],
      "outputs": [{"name": "output", "datatype": "FP32", "shape": [2, 10]}],
      "binding": {"source": "admin", "inputs": [], "seed": 0, "draw_order": "TORCH", "time": null,
                  "adopted": false},
      "parameter_hash": "0123abcd"})"));
}

TEST_F(ChangesTest, MaterializesNamedInputsWithoutAskingWhichThereAre) {
  AnswerMaterialize({});
  const Outcome outcome =
      Ask({"materialize", "m", "--shape", "ids=1,128", "--shape", "a=b=scalar"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("parameters created: 0, 0 B"));
  ASSERT_EQ(materialize_.inputs_size(), 2);
  EXPECT_EQ(materialize_.inputs(0).name(), "ids");
  EXPECT_EQ(materialize_.inputs(1).name(), "a=b");
  EXPECT_THAT(materialize_.inputs(1).shape(), IsEmpty());
}

TEST_F(ChangesTest, ListsAllThatIsWrongWithShapes) {
  AnswerDescribe({"x"});
  v1::InitializeParametersResponse response;
  response.add_errors("layer \"fc1\": wants 4 features, got 5");
  response.add_errors("too large");
  AnswerMaterialize(response);
  const Outcome outcome = Ask({"materialize", "m", "--shape", "2,5", "--validate-only"});
  EXPECT_TRUE(materialize_.validate_only());
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_THAT(outcome.out, HasSubstr("parameters to be created: 0"));
  EXPECT_EQ(outcome.err, "lazynet: layer \"fc1\": wants 4 features, got 5\nlazynet: too large\n");
  const Outcome report = Ask({"materialize", "m", "--shape", "2,5", "--validate-only", "--json"});
  EXPECT_EQ(report.code, kRefused);
  EXPECT_EQ(json::parse(report.out)["errors"][1], "too large");
}

TEST_F(ChangesTest, RefusesShapesThatMakeNoSense) {
  AnswerDescribe({"ids", "mask"});
  const struct {
    std::vector<std::string> args;
    const char* message;
  } rows[] = {
      {{}, "--shape is required"},
      {{"--shape", "2x3"}, "--shape \"2x3\": a shape wants sizes joined by ,"},
      {{"--shape", "=2,3"}, "--shape \"=2,3\": wants a name before ="},
      {{"--shape", "x="}, "got \"\""},
      {{"--shape", "-1,3"}, "a shape wants sizes"},
      {{"--shape", "9999999999"}, "wants dims from 0 to"},
      {{"--shape", "2,3"},
       "model \"m\" has 2 inputs, so that --shape wants NAME=SHAPE; it takes ids FP32 [?], mask "
       "FP32 [?]"},
  };
  for (const auto& row : rows) {
    std::vector<std::string> args = {"materialize", "m"};
    args.insert(args.end(), row.args.begin(), row.args.end());
    const Outcome outcome = Ask(args);
    EXPECT_EQ(outcome.code, kUsage) << row.message;
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
  }
}

TEST_F(ChangesTest, PassesRefusalsOn) {
  AnswerDescribe({"x"});
  const absl::Status refusal = absl::PermissionDeniedError("wants the admin address");
  server_.handlers.materialize = [&](const auto&) { return refusal; };
  server_.handlers.reset = [&](const auto&) { return refusal; };
  server_.handlers.register_network = [&](const auto&) { return refusal; };
  server_.handlers.unregister = [&](const auto&) { return refusal; };
  server_.handlers.save_checkpoint = [&](const auto&) { return refusal; };
  server_.handlers.load_checkpoint = [&](const auto&) { return refusal; };
  server_.handlers.watch = [&](const auto&) { return refusal; };
  const ScratchFolder folder;
  WriteFile(folder / "n.textproto", "");
  const std::vector<std::vector<std::string>> rows = {{"materialize", "m", "--shape", "1"},
                                                      {"reset", "m"},
                                                      {"register", "m", folder / "n.textproto"},
                                                      {"unregister", "m"},
                                                      {"checkpoint", "save", "m", "c"},
                                                      {"checkpoint", "load", "m", "c"},
                                                      {"watch"}};
  for (const auto& args : rows) {
    const Outcome outcome = Ask(args);
    EXPECT_EQ(outcome.code, kRefused) << args[0];
    EXPECT_EQ(outcome.out, "") << args[0];
    EXPECT_EQ(outcome.err, "lazynet: PERMISSION_DENIED: wants the admin address\n") << args[0];
  }
}

TEST_F(ChangesTest, AsksTheAdminAddressUnlessItOnlyLooks) {
  AnswerMaterialize({});
  server_.handlers.reset = [](const auto&) { return v1::ResetParametersResponse(); };
  setenv("LAZYNET_SERVER", "unix:/nonexistent/look", 1);
  setenv("LAZYNET_ADMIN_SERVER", server_.address().c_str(), 1);
  EXPECT_EQ(RunClient({"reset", "m"}).code, kDone);
  EXPECT_EQ(RunClient({"materialize", "m", "--shape", "x=1"}).code, kDone);
  EXPECT_EQ(RunClient({"materialize", "m", "--shape", "x=1", "--validate-only"}).code,
            kUnreachable);
  unsetenv("LAZYNET_SERVER");
  unsetenv("LAZYNET_ADMIN_SERVER");
  EXPECT_THAT(RunClient({"reset", "--help"}).out,
              AllOf(HasSubstr("127.0.0.1:8003"), HasSubstr("LAZYNET_ADMIN_SERVER")));
  EXPECT_THAT(RunClient({"watch", "--help"}).out, HasSubstr("127.0.0.1:8001"));
}

TEST_F(ChangesTest, Resets) {
  server_.handlers.reset = [](const v1::ResetParametersRequest& request) {
    EXPECT_EQ(request.name(), "m");
    EXPECT_EQ(request.version(), "3");
    v1::ResetParametersResponse response;
    response.set_state(v1::NETWORK_STATE_LAZY);
    return response;
  };
  EXPECT_EQ(Ask({"reset", "m", "--version", "3"}).out, "m: lazy\n");
  EXPECT_EQ(Ask({"reset", "m", "--version", "3", "--json"}).out, "{\"state\":\"lazy\"}\n");
}

class RegisterTest : public ChangesTest {
 protected:
  RegisterTest() {
    server_.handlers.register_network = [this](const v1::RegisterNetworkRequest& request) {
      request_ = request;
      v1::RegisterNetworkResponse response;
      response.set_version("7");
      response.set_state(v1::NETWORK_STATE_READY);
      return response;
    };
  }

  const ScratchFolder folder_;
  v1::RegisterNetworkRequest request_;
};

TEST_F(RegisterTest, SendsTextAsItIs) {
  const std::string text = "layers { name: \"a\" relu {} }  # kept\n";
  WriteFile(folder_ / "n.textproto", text);
  const Outcome outcome = Ask({"register", "m", folder_ / "n.textproto", "--version", "7"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(outcome.out, "m version 7: ready\n");
  EXPECT_EQ(request_.name(), "m");
  EXPECT_EQ(request_.version(), "7");
  EXPECT_EQ(request_.text(), text);
  EXPECT_FALSE(request_.has_serving());
}

TEST_F(RegisterTest, ParsesJsonAndHowToServe) {
  WriteFile(folder_ / "n.json", R"({"layers": [{"name": "a", "relu": {}}], "seed": "5"})");
  WriteFile(folder_ / "serving.textproto", "binding_policy: BY_ADMIN max_parameter_bytes: 9");
  const Outcome outcome = Ask(
      {"register", "m", folder_ / "n.json", "--serving", folder_ / "serving.textproto", "--json"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(outcome.out, "{\"version\":\"7\",\"state\":\"ready\"}\n");
  EXPECT_EQ(request_.version(), "");
  EXPECT_EQ(request_.definition().seed(), 5);
  EXPECT_TRUE(request_.definition().layers(0).has_relu());
  EXPECT_EQ(request_.serving().binding_policy(), v1::BY_ADMIN);
  EXPECT_EQ(request_.serving().max_parameter_bytes(), 9u);
}

TEST_F(RegisterTest, NamesTheFileThatCannotBeUsed) {
  WriteFile(folder_ / "good.textproto", "");
  WriteFile(folder_ / "bad.json", "{\"layer\": 1}");
  WriteFile(folder_ / "bad.textproto", "\nnothing: 1");
  const struct {
    std::vector<std::string> args;
    std::string message;
  } rows[] = {
      {{folder_ / "none.textproto"}, "none.textproto: "},
      {{folder_ / "bad.json"}, "bad.json: "},
      {{folder_ / "good.textproto", "--serving", folder_ / "bad.textproto"}, "bad.textproto: 2:8"},
  };
  for (const auto& row : rows) {
    std::vector<std::string> args = {"register", "m"};
    args.insert(args.end(), row.args.begin(), row.args.end());
    const Outcome outcome = Ask(args);
    EXPECT_EQ(outcome.code, kUsage);
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
    EXPECT_EQ(request_.name(), "");
  }
}

TEST_F(ChangesTest, Unregisters) {
  server_.handlers.unregister = [](const v1::UnregisterNetworkRequest& request) {
    EXPECT_EQ(request.name(), "m");
    EXPECT_EQ(request.version(), "2");
    return v1::UnregisterNetworkResponse();
  };
  EXPECT_EQ(Ask({"unregister", "m", "--version", "2"}).out, "m: no longer hosted\n");
  EXPECT_EQ(Ask({"unregister", "m", "--version", "2", "--json"}).out, "{}\n");
}

TEST_F(ChangesTest, SavesCheckpoints) {
  server_.handlers.save_checkpoint = [](const v1::SaveCheckpointRequest& request) {
    EXPECT_EQ(request.name(), "m");
    EXPECT_EQ(request.checkpoint(), "tuned");
    v1::SaveCheckpointResponse response;
    response.set_file_bytes(request.overwrite() ? 2048 : 1024);
    response.add_keys("a");
    response.add_uninitialized_keys("b");
    response.add_uninitialized_keys("c");
    return response;
  };
  const Outcome outcome = Ask({"checkpoint", "save", "m", "tuned"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_EQ(outcome.out, "tuned: 1 keys, 1.0 KiB\n");
  EXPECT_EQ(outcome.err, "lazynet: warning: left out, without values: b, c\n");
  EXPECT_EQ(json::parse(Ask({"checkpoint", "save", "m", "tuned", "--overwrite", "--json"}).out),
            json::parse(R"({"file_bytes": 2048, "keys": ["a"],
                            "uninitialized_keys": ["b", "c"]})"));
}

TEST_F(ChangesTest, LoadsCheckpoints) {
  server_.handlers.load_checkpoint = [](const v1::LoadCheckpointRequest& request) {
    EXPECT_EQ(request.name(), "m");
    EXPECT_EQ(request.checkpoint(), "tuned");
    v1::LoadStateDictResponse response;
    if (!request.strict()) response.add_missing_keys("a");
    if (request.validate_only()) response.add_errors("too large");
    response.add_lossy_keys("b");
    response.add_lossy_keys("c");
    response.set_state(v1::NETWORK_STATE_READY);
    response.set_parameter_hash("0123abcd");
    return response;
  };
  EXPECT_EQ(Ask({"checkpoint", "load", "m", "tuned", "--no-strict"}).out,
            "loaded, now ready\n"
            "missing     1: a\n"
            "unexpected  none\n"
            "lossy       2: b, c\n"
            "unknown     none\n"
            "hash        0123abcd\n");
  EXPECT_EQ(json::parse(Ask({"checkpoint", "load", "m", "tuned", "--json"}).out), json::parse(R"({
      "missing_keys": [], "unexpected_keys": [], "lossy_keys": ["b", "c"], "errors": [],
      "state": "ready", "unknown_parameters": [], "parameter_hash": "0123abcd"})"));
  const Outcome wrong = Ask({"checkpoint", "load", "m", "tuned", "--validate-only"});
  EXPECT_EQ(wrong.code, kRefused);
  EXPECT_THAT(wrong.out, HasSubstr("would not load, now ready\n"));
  EXPECT_EQ(wrong.err, "lazynet: too large\n");
}

TEST_F(ChangesTest, ACheckpointCommandIsTwoWords) {
  EXPECT_EQ(RunClient({"checkpoint", "rename"}).err,
            "lazynet: no command is called \"checkpoint rename\" (lazynet --help lists them)\n");
  EXPECT_EQ(RunClient({"checkpoint"}).code, kUsage);
  const Outcome help = RunClient({"checkpoint", "--help"});
  EXPECT_EQ(help.code, kDone);
  EXPECT_THAT(help.out, AllOf(HasSubstr("\n  save"), HasSubstr("\n  load")));
}

class WatchTest : public ChangesTest {
 protected:
  WatchTest() {
    server_.handlers.watch = [this](const v1::WatchNetworksRequest& request) {
      request_ = request;
      return stream_;
    };
    Add(v1::NETWORK_STATE_LAZY).mutable_time()->set_seconds(1'700'000'000);
    Add(v1::NETWORK_STATE_UNAVAILABLE).set_reason("broken\n");
    Add(v1::NETWORK_STATE_READY).set_removed(true);
  }

  v1::NetworkEvent& Add(v1::NetworkState state) {
    v1::NetworkEvent& event = stream_.messages.emplace_back();
    event.set_name("m");
    event.set_version("1");
    event.set_state(state);
    return event;
  }

  Stream<v1::NetworkEvent> stream_;
  v1::WatchNetworksRequest request_;
};

TEST_F(WatchTest, PrintsALineForEachEventUntilTheServerEnds) {
  const Outcome outcome = Ask({"watch"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(outcome.out,
            "2023-11-14T22:13:20Z  m version 1: lazy\n"
            "m version 1: unavailable, broken?\n"
            "m version 1: removed\n");
  EXPECT_THAT(request_.names(), IsEmpty());
}

TEST_F(WatchTest, EndsAfterAsManyEventsAsWanted) {
  const Outcome outcome = Ask({"watch", "m", "n", "--count", "1", "--json"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out), json::parse(R"({
      "name": "m", "version": "1", "state": "lazy", "reason": "", "removed": false,
      "time": "2023-11-14T22:13:20Z"})"));
  EXPECT_THAT(request_.names(), ElementsAre("m", "n"));
  EXPECT_EQ(RunClient({"watch", "--count", "0"}).code, kUsage);
}

TEST_F(WatchTest, SaysWhyItEndedEarly) {
  stream_.end = absl::UnavailableError("the server drains");
  const Outcome outcome = Ask({"watch"});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_THAT(outcome.out, HasSubstr("removed"));
  EXPECT_EQ(outcome.err, "lazynet: UNAVAILABLE: the server drains\n");
}

}  // namespace
}  // namespace lazynet::cli
