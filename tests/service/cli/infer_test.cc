// `lazynet infer` against a server that keeps what it was asked and answers what the test wants.

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/checkpoint/npy.h"
#include "engine/checkpoint/safetensors_writer.h"
#include "tests/service/cli/fake_server.h"
#include "tests/service/cli/support.h"

namespace lazynet::cli {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using inference::ModelMetadataRequest;
using inference::ModelMetadataResponse;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// Adds a tensor's name, datatype and shape to a message that has such fields.
template <typename Tensor>
void Set(Tensor& tensor, const std::string& name, const std::string& datatype,
         const std::vector<int64_t>& shape) {
  tensor.set_name(name);
  tensor.set_datatype(datatype);
  for (const int64_t dim : shape) tensor.add_shape(dim);
}

class InferTest : public testing::Test {
 protected:
  InferTest() {
    Set(*metadata_.add_inputs(), "input", "FP32", {-1, 3});
    server_.handlers.metadata =
        [this](const ModelMetadataRequest& request) -> absl::StatusOr<ModelMetadataResponse> {
      if (request.name() != "m") return NotFound("no model \"{}\"", request.name());
      metadata_request_ = request;
      return metadata_;
    };
    server_.handlers.infer = [this](const ModelInferRequest& request) {
      request_ = request;
      return infer_answer_;
    };
    response_.set_model_name("m");
    response_.set_model_version("7");
    response_.set_id("echo");
    infer_answer_ = response_;
  }

  void AnswerWith(const std::string& name, const std::string& datatype,
                  const std::vector<int64_t>& shape, const std::string& bytes) {
    Set(*response_.add_outputs(), name, datatype, shape);
    response_.add_raw_output_contents(bytes);
    infer_answer_ = response_;
  }

  Outcome Infer(std::vector<std::string> args) {
    args.insert(args.begin(), {"infer", "m", "--server", server_.address()});
    return RunClient(args);
  }

  FakeServer server_;
  ModelMetadataResponse metadata_;
  ModelMetadataRequest metadata_request_;
  ModelInferRequest request_;
  ModelInferResponse response_;
  absl::StatusOr<ModelInferResponse> infer_answer_ = response_;
};

TEST_F(InferTest, SendsWhatWasAsked) {
  const Outcome outcome = Infer(
      {"--input", "ones:2x3", "--version", "4", "--id", "abc", "--output", "b", "--output", "a"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(metadata_request_.version(), "4");
  EXPECT_EQ(request_.model_name(), "m");
  EXPECT_EQ(request_.model_version(), "4");
  EXPECT_EQ(request_.id(), "abc");
  ASSERT_EQ(request_.inputs_size(), 1);
  EXPECT_EQ(request_.inputs(0).name(), "input");
  EXPECT_EQ(request_.inputs(0).datatype(), "FP32");
  EXPECT_THAT(request_.inputs(0).shape(), ElementsAre(2, 3));
  EXPECT_FALSE(request_.inputs(0).has_contents());
  EXPECT_THAT(request_.raw_input_contents(), ElementsAre(BytesOf<float>({1, 1, 1, 1, 1, 1})));
  ASSERT_EQ(request_.outputs_size(), 2);
  EXPECT_EQ(request_.outputs(0).name(), "b");
  EXPECT_EQ(request_.outputs(1).name(), "a");
}

TEST_F(InferTest, AsksForNoOutputAndNoVersionByItself) {
  ASSERT_EQ(Infer({"--input", "zeros:1x3"}).code, kDone);
  EXPECT_EQ(request_.outputs_size(), 0);
  EXPECT_EQ(request_.model_version(), "");
  EXPECT_EQ(request_.id(), "");
}

TEST_F(InferTest, ShowsWhatTheServerSpentOnIt) {
  auto& parameters = *response_.mutable_parameters();
  parameters["lazynet_cold"].set_bool_param(true);
  parameters["lazynet_queue_us"].set_int64_param(12);
  parameters["lazynet_compute_us"].set_int64_param(345);
  AnswerWith("y", "FP32", {1}, BytesOf<float>({1}));
  const Outcome outcome = Infer({"--input", "ones:2x3", "--timing"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\ncold, 12 us in the queue, 345 us computed\n"));
  EXPECT_TRUE(request_.parameters().at("lazynet_timing").bool_param());
  const json timing =
      json::parse(Infer({"--input", "ones:2x3", "--timing", "--json"}).out)["timing"];
  EXPECT_EQ(timing, json::parse(R"({"cold": true, "queue_us": 12, "compute_us": 345})"));
}

TEST_F(InferTest, AsksForNoTimingByItselfAndSaysWhenThereIsNone) {
  AnswerWith("y", "FP32", {1}, BytesOf<float>({1}));
  EXPECT_FALSE(json::parse(Infer({"--input", "ones:2x3", "--json"}).out).contains("timing"));
  EXPECT_TRUE(request_.parameters().empty());
  const Outcome outcome = Infer({"--input", "ones:2x3", "--timing"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_THAT(outcome.err, HasSubstr("does not tell what it spent"));
}

TEST_F(InferTest, SendsInputsInTheModelsOrderWithTheirOwnTypes) {
  Set(*metadata_.add_inputs(), "mask", "INT64", {-1});
  const Outcome outcome = Infer({"--input", "mask=ones:2", "--input", "input=zeros:1x3"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  ASSERT_EQ(request_.inputs_size(), 2);
  EXPECT_EQ(request_.inputs(0).name(), "input");
  EXPECT_EQ(request_.inputs(1).name(), "mask");
  EXPECT_EQ(request_.inputs(1).datatype(), "INT64");
  EXPECT_THAT(request_.raw_input_contents(),
              ElementsAre(BytesOf<float>({0, 0, 0}), BytesOf<int64_t>({1, 1})));
}

TEST_F(InferTest, SlicesRowsOfEveryInputAndKeepsTheTypeOfTheFile) {
  const ScratchFolder folder;
  const std::vector<double> values = {1, 2, 3, 4, 5, 6};
  const TensorView view{DType::kFp64, {3, 2}, reinterpret_cast<const std::byte*>(values.data())};
  const std::array<checkpoint::NamedTensorView, 2> tensors = {{{"input", view}, {"labels", view}}};
  ASSERT_TRUE(checkpoint::WriteSafetensors(folder / "x.safetensors", tensors).ok());
  const Outcome outcome = Infer({"--input", folder / "x.safetensors", "--slice", "1:3"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(request_.inputs(0).datatype(), "FP64");
  EXPECT_THAT(request_.inputs(0).shape(), ElementsAre(2, 2));
  EXPECT_THAT(request_.raw_input_contents(), ElementsAre(BytesOf<double>({3, 4, 5, 6})));
}

TEST_F(InferTest, SendsScalarsAndEmptyTensors) {
  ASSERT_EQ(Infer({"--input", "ones:scalar"}).code, kDone);
  EXPECT_EQ(request_.inputs(0).shape_size(), 0);
  EXPECT_THAT(request_.raw_input_contents(), ElementsAre(BytesOf<float>({1})));
  ASSERT_EQ(Infer({"--input", "ones:0x3"}).code, kDone);
  EXPECT_THAT(request_.raw_input_contents(), ElementsAre(""));
}

TEST_F(InferTest, CarriesMessagesOverFourMebibytes) {
  AnswerWith("y", "FP32", {5, 1 << 18}, std::string(5 << 20, '\0'));
  const Outcome outcome = Infer({"--input", "ones:3x1000000"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(request_.raw_input_contents(0).size(), 12'000'000u);
}

TEST_F(InferTest, SaysWhichInputsDoNotFit) {
  Set(*metadata_.add_inputs(), "mask", "INT64", {-1});
  const struct {
    std::vector<std::string> args;
    const char* message;
  } rows[] = {
      {{"--input", "zeros:1"}, "model \"m\" has 2 inputs, so that --input wants NAME=SPEC"},
      {{"--input", "x=zeros:1"},
       "model \"m\" has no input \"x\"; it takes input FP32 [?, 3], mask"},
      {{"--input", "mask=zeros:1"}, "input \"input\" is not given; model \"m\" takes"},
      {{"--input", "mask=zeros:1", "--input", "mask=zeros:1"}, "input \"mask\" is given twice"},
      {{"--input", "mask=zeros:1", "--input", "input=none.npy"}, "input \"input\": none.npy: "},
      {{"--input", "mask=zeros:1", "--input", "input=zeros:1x3", "--slice", "0:2"},
       "input \"input\": --slice wants rows 0 to 2, got 1 rows in [1, 3]"},
  };
  for (const auto& row : rows) {
    const Outcome outcome = Infer(row.args);
    EXPECT_EQ(outcome.code, kUsage) << row.message;
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(request_.inputs_size(), 0);
}

TEST_F(InferTest, SaysWhatTheServerRefused) {
  infer_answer_ = InvalidArgument("layer \"fc1\": wants in_features 64, got 3");
  const Outcome refused = Infer({"--input", "zeros:1x3"});
  EXPECT_EQ(refused.code, kRefused);
  EXPECT_EQ(refused.err, "lazynet: INVALID_ARGUMENT: layer \"fc1\": wants in_features 64, got 3\n");
  const Outcome unknown =
      RunClient({"infer", "nobody", "--server", server_.address(), "--input", "zeros:1x3"});
  EXPECT_EQ(unknown.code, kRefused);
  EXPECT_EQ(unknown.err, "lazynet: NOT_FOUND: no model \"nobody\"\n");
}

TEST_F(InferTest, UnavailableFromTheServerIsNotUnreachable) {
  infer_answer_ = absl::UnavailableError("the server stops");
  const Outcome outcome = Infer({"--input", "zeros:1x3"});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_EQ(outcome.err, "lazynet: UNAVAILABLE: the server stops\n");
}

TEST_F(InferTest, PrintsATableWithTheLargestValueOfEachRow) {
  AnswerWith("logits", "FP32", {2, 3}, BytesOf<float>({1, -2.5, 3, 0.125, 1e6, 1e-7f}));
  EXPECT_EQ(Infer({"--input", "zeros:2x3"}).out,
            "m version 7\n"
            "\n"
            "logits FP32 [2, 3]\n"
            "row  argmax      0      1      2\n"
            "  0       2      1   -2.5      3\n"
            "  1       1  0.125  1e+06  1e-07\n");
}

TEST_F(InferTest, ALineHasRoomForTheLogitsOfTenClasses) {
  AnswerWith("logits", "FP32", {1, 10}, BytesOf(std::vector<float>(10, -10.123456f)));
  const Outcome outcome = Infer({"--input", "zeros:1x3"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("-10.123"), HasSubstr("  9\n"), Not(HasSubstr("..."))));
}

TEST_F(InferTest, CutsTablesToWidthAndRows) {
  AnswerWith("y", "INT32", {3, 100}, BytesOf(std::vector<int32_t>(300, 1234)));
  const Outcome outcome = Infer({"--input", "zeros:1x3", "--width", "40", "--rows", "2"});
  EXPECT_EQ(outcome.out,
            "m version 7\n"
            "\n"
            "y INT32 [3, 100]\n"
            "row  argmax     0     1     2     3  ...\n"
            "  0       0  1234  1234  1234  1234  ...\n"
            "  1       0  1234  1234  1234  1234  ...\n"
            "... 1 more rows (--rows 0 prints all)\n");
  EXPECT_THAT(Infer({"--input", "zeros:1x3", "--rows", "0"}).out, Not(HasSubstr("more rows")));
}

TEST_F(InferTest, PrintsOutputsOfEveryRankAndType) {
  AnswerWith("scalar", "FP64", {}, BytesOf<double>({0.5}));
  AnswerWith("vector", "UINT8", {3}, BytesOf<uint8_t>({1, 2, 255}));
  AnswerWith("column", "FP32", {2, 1}, BytesOf<float>({5, 6}));
  AnswerWith("cube", "INT64", {2, 1, 2}, BytesOf<int64_t>({1, 2, 3, -4}));
  AnswerWith("half", "FP16", {1}, BytesOf<uint16_t>({0x3C00}));
  AnswerWith("brain", "BF16", {1}, BytesOf<uint16_t>({0x3F80}));
  AnswerWith("flags", "BOOL", {2}, std::string("\1\0", 2));
  AnswerWith("empty", "FP32", {0, 3}, "");
  AnswerWith("nan", "FP32", {1, 2}, BytesOf<float>({1, std::nanf("")}));
  EXPECT_EQ(Infer({"--input", "zeros:1x3"}).out,
            "m version 7\n"
            "\nscalar FP64 []\n  0\n0.5\n"
            "\nvector UINT8 [3]\n0  1    2\n1  2  255\n"
            "\ncolumn FP32 [2, 1]\nrow  0\n  0  5\n  1  6\n"
            "\ncube INT64 [2, 1, 2]\nrow  0   1\n0,0  1   2\n1,0  3  -4\n"
            "\nhalf FP16 [1]\n0\n1\n"
            "\nbrain BF16 [1]\n0\n1\n"
            "\nflags BOOL [2]\n   0      1\ntrue  false\n"
            "\nempty FP32 [0, 3]\n"
            "\nnan FP32 [1, 2]\nrow  argmax  0    1\n  0       1  1  nan\n");
}

TEST_F(InferTest, PrintsJsonAsTheProtocolsRestForm) {
  const float inf = std::numeric_limits<float>::infinity();
  AnswerWith("y", "FP32", {2, 2}, BytesOf<float>({0.1f, -inf, std::nanf(""), 3}));
  AnswerWith("n", "INT64", {1}, BytesOf<int64_t>({int64_t{1} << 62}));
  AnswerWith("b", "BOOL", {1}, "\1");
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--json"}, std::vector<std::string>{"--format", "json"}}) {
    std::vector<std::string> args = {"--input", "zeros:1x3"};
    args.insert(args.end(), flags.begin(), flags.end());
    const Outcome outcome = Infer(args);
    ASSERT_EQ(outcome.code, kDone) << outcome.err;
    EXPECT_EQ(json::parse(outcome.out), json::parse(R"({
      "model_name": "m", "model_version": "7", "id": "echo",
      "outputs": [
        {"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [0.1, "-Infinity", "NaN", 3]},
        {"name": "n", "datatype": "INT64", "shape": [1], "data": [4611686018427387904]},
        {"name": "b", "datatype": "BOOL", "shape": [1], "data": [true]}]})"));
  }
}

TEST_F(InferTest, WritesOneOutputToAFile) {
  const ScratchFolder folder;
  AnswerWith("y", "FP32", {2}, BytesOf<float>({1, 2}));
  const std::string path = folder / "y1.npy";
  const Outcome outcome = Infer({"--input", "zeros:1x3", "-o", path});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(outcome.out, "m version 7\ny FP32 [2] -> " + path + "\n");
  const auto tensor = checkpoint::ReadNpy(path);
  ASSERT_TRUE(tensor.ok());
  EXPECT_THAT(tensor->values<float>(), ElementsAre(1, 2));
}

TEST_F(InferTest, WritesOutputsToAFolder) {
  const ScratchFolder folder;
  AnswerWith("y", "FP32", {1}, BytesOf<float>({1}));
  AnswerWith("z", "INT8", {1}, "\2");
  const std::string path = folder / "new/out";
  const Outcome outcome = Infer({"--input", "zeros:1x3", "--format", "npy", "-o", path, "--json"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["outputs"][1]["file"], path + "/z.npy");
  EXPECT_FALSE(report["outputs"][1].contains("data"));
  EXPECT_THAT(checkpoint::ReadNpy(path + "/y.npy")->values<float>(), ElementsAre(1));
  EXPECT_THAT(checkpoint::ReadNpy(path + "/z.npy")->values<int8_t>(), ElementsAre(2));
}

TEST_F(InferTest, WritesOnlyWhereItWasTold) {
  const ScratchFolder folder;
  AnswerWith("../y", "FP32", {1}, BytesOf<float>({1}));
  const Outcome outside = Infer({"--input", "zeros:1x3", "-o", folder / "out"});
  EXPECT_EQ(outside.code, kUsage);
  EXPECT_THAT(outside.err, HasSubstr("output \"../y\" has a name that no file can have"));
  EXPECT_FALSE(std::filesystem::exists(folder / "y.npy"));
  AnswerWith("z", "FP32", {1}, BytesOf<float>({1}));
  const Outcome two = Infer({"--input", "zeros:1x3", "-o", folder / "y.npy"});
  EXPECT_EQ(two.code, kUsage);
  EXPECT_THAT(two.err, HasSubstr("y.npy can hold one output, got 2"));
}

TEST_F(InferTest, SaysWhereNothingCanBeWritten) {
  const ScratchFolder folder;
  AnswerWith("y", "FP32", {1}, BytesOf<float>({1}));
  const Outcome outcome = Infer({"--input", "zeros:1x3", "-o", folder / "none/y.npy"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("output \"y\": " + (folder / "none/y.npy")));
}

TEST_F(InferTest, TrustsNoAnswer) {
  const struct {
    std::string datatype;
    std::vector<int64_t> shape;
    std::string bytes;
    const char* message;
  } rows[] = {
      {"FP32", {2, 3}, "1234", "output \"y\": FP32 [2, 3] wants 24 bytes, got 4"},
      {"FP32", {-1}, "1234", "wants dims from 0 to"},
      {"FP32", {1 << 30, 1 << 30}, "1234", "wants at most"},
      {"BYTES", {1}, "1234", "datatype BYTES cannot be read here"},
  };
  for (const auto& row : rows) {
    response_.clear_outputs();
    response_.clear_raw_output_contents();
    AnswerWith("y", row.datatype, row.shape, row.bytes);
    const Outcome outcome = Infer({"--input", "zeros:1x3"});
    EXPECT_EQ(outcome.code, kRefused) << row.message;
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("the answer of " + server_.address()), HasSubstr(row.message)));
  }
  response_.clear_raw_output_contents();
  infer_answer_ = response_;
  EXPECT_THAT(Infer({"--input", "zeros:1x3"}).err,
              HasSubstr("wants raw contents for each of 1 outputs, got 0"));
}

TEST_F(InferTest, RefusesArgumentsThatMakeNoSense) {
  const struct {
    std::vector<std::string> args;
    const char* message;
  } rows[] = {
      {{}, "--input is required"},
      {{"--input", "a.txt"}, "--input \"a.txt\": wants FILE.npy"},
      {{"--input", "zeros:1", "--slice", "3"}, "--slice wants rows as BEGIN:END"},
      {{"--input", "zeros:1", "--format", "npy"}, "--format npy wants -o"},
      {{"--input", "zeros:1", "--format", "json", "-o", "x"}, "-o wants --format npy, got json"},
      {{"--input", "zeros:1", "--format", "xml"}, "xml not in {table,json,npy}"},
      {{"--input", "zeros:1", "zeros:2"}, "zeros:2"},
      {{"--input", "zeros:1", "--rows", "-1"}, "--rows"},
      {{"--input", "zeros:1", "--timeout", "soon"}, "wants seconds from 0 to 1e9, got \"soon\""},
      {{"--input", "zeros:1", "--timeout", "nan"}, "wants seconds from 0 to 1e9, got \"nan\""},
  };
  for (const auto& row : rows) {
    const Outcome outcome = Infer(row.args);
    EXPECT_EQ(outcome.code, kUsage) << row.message;
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
    EXPECT_EQ(outcome.out, "");
  }
}

}  // namespace
}  // namespace lazynet::cli
