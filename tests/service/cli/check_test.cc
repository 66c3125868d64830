// `lazynet check`, which asks no server.

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/service/cli/support.h"

namespace lazynet::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kMlp = R"(
inputs { name: "x" shape: [-1, -1] }
layers { name: "fc1" linear { out_features: 1000 } }
layers { name: "bn" batch_norm1d { num_features: 1000 } }
layers { name: "relu" relu {} }
layers { name: "fc2" linear { out_features: 2 bias: false } }
)";

constexpr const char* kTwoInputs = R"(
inputs { name: "a" }
inputs { name: "b" }
layers { name: "sum" inputs: "a" inputs: "b" add {} }
)";

class CheckTest : public testing::Test {
 protected:
  Outcome Check(const std::string& definition, std::vector<std::string> args = {},
                const std::string& name = "n.textproto") {
    std::ofstream(folder_ / name) << definition;
    args.insert(args.begin(), {"check", folder_ / name});
    return RunClient(args);
  }

  const ScratchFolder folder_;
};

TEST_F(CheckTest, ShowsWhatFollowsFromTheDefinitionAlone) {
  const Outcome outcome = Check(kMlp);
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_THAT(
      outcome.out,
      AllOf(
          HasSubstr("fc1    LazyLinear   ?       weight [1000, ?], bias [1000] "),
          HasSubstr("bn     BatchNorm1d  ?       weight [1000], bias [1000], running_mean [1000], "
                    "running_var [1000], num_batches_tracked []  2,000  15.6 KiB\n"),
          HasSubstr("relu   ReLU         ?  "), HasSubstr("     ?         ?\n"),
          HasSubstr("\nparameters  4,000 known, without those of 1 layers\n"),
          HasSubstr("\ninputs      x FP32 [?, ?]\noutputs     output FP32 ?\n")));
}

TEST_F(CheckTest, ShowsAllThatFollowsFromShapes) {
  for (const char* shape : {"3,4", "x=3,4"}) {
    const Outcome outcome = Check(kMlp, {"--shape", shape});
    EXPECT_EQ(outcome.code, kDone) << outcome.err;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("fc1    Linear       [3, 1000]  weight [1000, 4], bias [1000] "),
                      HasSubstr("  5,000  19.5 KiB  24,000\n"),
                      HasSubstr("fc2    Linear       [3, 2]     weight [2, 1000] "),
                      HasSubstr("\nparameters  9,000\n"), HasSubstr("\nFLOPs       45,000\n"),
                      Not(HasSubstr("?")),
                      HasSubstr("\ninputs      x FP32 [3, 4]\noutputs     output FP32 [3, 2]\n")));
  }
}

TEST_F(CheckTest, ReportsInJson) {
  const json lazy = json::parse(Check(kMlp, {"--json"}).out);
  EXPECT_EQ(lazy["layers"][0], json::parse(R"({
      "name": "fc1", "type": "LazyLinear", "output_shapes": null,
      "parameters": [
        {"name": "fc1.weight", "datatype": "FP32", "shape": [1000, -1], "buffer": false},
        {"name": "fc1.bias", "datatype": "FP32", "shape": [1000], "buffer": false}],
      "parameter_count": null, "parameter_bytes": null, "flops": null})"));
  EXPECT_EQ(lazy["has_uninitialized_params"], true);
  // fc2 reads the 1000 features of fc1, whatever the input.
  EXPECT_EQ(lazy["known_parameter_count"], 4000);
  EXPECT_EQ(lazy["outputs"], json::parse(R"([{"name": "output", "datatype": "FP32",
                                              "shape": null}])"));
  const json known = json::parse(Check(kMlp, {"--json", "--shape", "3,4"}).out);
  EXPECT_EQ(known["layers"][3]["output_shapes"], json::parse("[[3, 2]]"));
  EXPECT_EQ(known["layers"][2]["parameter_count"], 0);
  EXPECT_EQ(known["known_parameter_count"], 9000);
  EXPECT_EQ(known["has_uninitialized_params"], false);
  // 7000 and 2000 parameters, 2000 running statistics, and a count of 8 bytes.
  EXPECT_EQ(known["parameter_bytes"], 4 * (9000 + 2000) + 8);
}

TEST_F(CheckTest, ReadsJson) {
  const Outcome outcome =
      Check(R"({"layers": [{"name": "a", "relu": {}}]})", {"--shape", "2"}, "n.json");
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("a      ReLU  [2]"));
}

TEST_F(CheckTest, MatchesShapesToInputsByName) {
  EXPECT_THAT(Check(kTwoInputs, {"--shape", "b=1,3", "--shape", "a=2,1"}).out,
              HasSubstr("sum    Add   [2, 3]"));
  const struct {
    std::vector<std::string> shapes;
    const char* message;
  } rows[] = {
      {{"--shape", "1"},
       "the network has 2 inputs, so that --shape wants NAME=SHAPE; it takes a FP32 of any shape, "
       "b FP32 of any shape"},
      {{"--shape", "c=1"}, "the network has no input \"c\""},
      {{"--shape", "a=1", "--shape", "a=1"}, "input \"a\" is given twice"},
      {{"--shape", "a=1"}, "input \"b\" is not given"},
      {{"--shape", "a=2", "--shape", "b=3"}, "layer \"sum\""},
  };
  for (const auto& row : rows) {
    const Outcome outcome = Check(kTwoInputs, row.shapes);
    EXPECT_EQ(outcome.code, kRefused) << row.message;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("n.textproto: "), HasSubstr(row.message)));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(CheckTest, SaysWhatIsWrongWithADefinition) {
  EXPECT_THAT(Check("\nlayer { }").err, HasSubstr("n.textproto: 2:7: "));
  EXPECT_EQ(Check("\nlayer { }").code, kRefused);
  EXPECT_EQ(Check("{", {}, "n.json").code, kRefused);
  EXPECT_THAT(Check("layers { name: \"a\" linear {} }").err,
              AllOf(HasSubstr("layer \"a\""), HasSubstr("out_features")));
}

TEST_F(CheckTest, TellsAFileThatCannotBeReadFromAWrongOne) {
  const Outcome outcome = RunClient({"check", folder_ / "none.textproto"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("none.textproto: "));
  EXPECT_EQ(Check(kMlp, {"--shape", "3x4"}).code, kUsage);
}

TEST_F(CheckTest, HasHelpButNoServer) {
  const Outcome outcome = RunClient({"check", "--help"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("--json"), HasSubstr("Examples:"),
                                 Not(HasSubstr("--server")), Not(HasSubstr("--timeout"))));
  EXPECT_THAT(RunClient({"--help"}).out, HasSubstr("\n  check"));
}

}  // namespace
}  // namespace lazynet::cli
