// `lazynet describe --plan`.

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/service/cli/client_test.h"

namespace lazynet::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void SetTensor(v1::BoundInput& tensor, const std::string& name, const std::vector<int64_t>& shape) {
  tensor.set_name(name);
  tensor.set_datatype("FP32");
  for (const int64_t dim : shape) tensor.add_shape(dim);
}

v1::PlanValue Value(const std::vector<int64_t>& shape, const std::string& layout, uint64_t bytes) {
  v1::PlanValue value;
  value.set_datatype("FP32");
  for (const int64_t dim : shape) value.add_shape(dim);
  value.set_layout(layout);
  value.set_bytes(bytes);
  return value;
}

v1::PlanValue FromStep(uint32_t step, const std::vector<int64_t>& shape,
                       const std::string& layout) {
  v1::PlanValue value = Value(shape, layout, 4096);
  value.set_step(step);
  return value;
}

// conv, a check of it, a second conv that adds it, and a linear layer on a view: two groups.
v1::DescribePlanResponse Plan() {
  v1::DescribePlanResponse plan;
  plan.set_name("net");
  plan.set_version("2");
  SetTensor(*plan.add_inputs(), "image", {2, 4, 8, 8});
  SetTensor(*plan.add_outputs(), "logits", {2, 10});
  plan.set_has_kernels(true);
  v1::PlanGroups& groups = *plan.add_groups();
  groups.set_count(2);
  groups.set_items(1);
  plan.set_parallel_groups(1);
  plan.set_arena_bytes(8192);
  plan.set_scratch_bytes(512);
  plan.set_packed_weight_bytes(2048);
  plan.set_plan_bytes(1024);
  *plan.add_cached_plans()->add_inputs() = plan.inputs(0);

  v1::PlanStep& conv = *plan.add_steps();
  conv.set_layer("conv1");
  conv.set_op("convolution");
  conv.add_fused("relu");
  conv.set_implementation("brgconv:avx512_core");
  conv.set_threads(1);
  *conv.add_inputs() = Value({1, 4, 8, 8}, "dense", 1024);
  conv.mutable_inputs(0)->set_input(0);
  *conv.add_inputs() = Value({16, 4, 3, 3}, "", 2304);
  conv.mutable_inputs(1)->set_constant("conv1.weight");
  *conv.mutable_output() = FromStep(0, {1, 16, 8, 8}, "nhwc");
  conv.set_bytes_read(3328);
  conv.set_weight_bytes(2304);
  conv.set_bytes_written(4096);
  conv.set_flops(73728);
  conv.set_estimated_microseconds(0.5);

  v1::PlanStep& check = *plan.add_steps();
  check.set_op("range_check");
  check.set_threads(1);
  *check.add_inputs() = FromStep(0, {1, 16, 8, 8}, "nhwc");
  check.set_bytes_read(4096);

  v1::PlanStep& second = *plan.add_steps();
  second = conv;
  second.set_layer("conv2");
  second.clear_fused();
  second.add_fused("add");
  second.clear_inputs();
  *second.add_inputs() = FromStep(0, {1, 16, 8, 8}, "nhwc");
  *second.add_inputs() = FromStep(0, {1, 16, 8, 8}, "nhwc");
  *second.mutable_output() = FromStep(2, {1, 16, 8, 8}, "dense");

  v1::PlanStep& fc = *plan.add_steps();
  fc.set_layer("fc");
  fc.set_op("inner_product");
  fc.set_implementation("gemm:jit");
  fc.set_threads(1);
  *fc.add_inputs() = FromStep(2, {1, 1024}, "dense");
  *fc.mutable_output() = FromStep(3, {1, 10}, "dense");
  fc.set_flops(20480);
  *plan.add_output_values() = fc.output();
  for (v1::PlanStep& step : *plan.mutable_steps()) step.set_calls(2);
  return plan;
}

v1::DescribePlanResponse MeasuredPlan() {
  v1::DescribePlanResponse plan = Plan();
  plan.set_profile_runs(20);
  plan.set_measured_microseconds(208);
  plan.mutable_steps(0)->set_measured_microseconds(25);
  plan.mutable_steps(1)->set_measured_microseconds(1);
  plan.mutable_steps(2)->set_measured_microseconds(73.728);
  plan.mutable_steps(3)->set_measured_microseconds(0.272);
  return plan;
}

class PlanTest : public ClientTest {
 protected:
  void Answer(v1::DescribePlanResponse plan) {
    server_.handlers.describe_plan = [this, plan](const v1::DescribePlanRequest& request) {
      request_ = request;
      return plan;
    };
  }

  v1::DescribePlanRequest request_;
};

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(PlanTest, PrintsTheStepsInOrderAndTotals) {
  Answer(Plan());
  const Outcome outcome = Ask({"describe", "net", "--version", "2", "--plan"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(
      outcome.out,
      "net version 2: a plan that is not cached\n"
      "\n"
      "step  layer  op                kernel               threads  reads                     "
      "writes                  read  weights  written   FLOPs  estimate\n"
      "  #0  conv1  convolution+relu  brgconv:avx512_core        1  image FP32 1x4x8x8 dense  "
      "FP32 1x16x8x8 nhwc   3.2 KiB  2.2 KiB  4.0 KiB  73.7 k    0.5 us\n"
      "  #1         range_check                                  1  #0 nhwc                   "
      "                     4.0 KiB      0 B      0 B       0    0.0 us\n"
      "  #2  conv2  convolution+add   brgconv:avx512_core        1  #0 nhwc, #0 nhwc          "
      "FP32 1x16x8x8 dense  3.2 KiB  2.2 KiB  4.0 KiB  73.7 k    0.5 us\n"
      "  #3  fc     inner_product     gemm:jit                   1  #2 1x1024 dense           "
      "FP32 1x10 dense          0 B      0 B      0 B  20.5 k    0.0 us\n"
      "\n"
      "inputs      image FP32 [2, 4, 8, 8]\n"
      "outputs     logits FP32 [2, 10]\n"
      "steps       4\n"
      "batch       2 groups of 1 item, 1 at a time; the steps are of one group\n"
      "work        335.9 kFLOP, 21.0 KiB read, 16.0 KiB written\n"
      "memory      8.0 KiB arena, 512 B scratch, 2.0 KiB packed weights of all plans, 1.0 KiB the "
      "plan\n"
      "time        about 2.0 us by estimate\n"
      "cached for  image FP32 [2, 4, 8, 8]\n");
  EXPECT_EQ(request_.name(), "net");
  EXPECT_EQ(request_.version(), "2");
  EXPECT_EQ(request_.profile_runs(), 0u);
  EXPECT_EQ(request_.inputs_size(), 0);
}

TEST_F(PlanTest, PrintsWhatWasMeasuredAndItsSumsByOp) {
  Answer(MeasuredPlan());
  const Outcome outcome =
      Ask({"describe", "net", "--plan", "--profile", "20", "--shape", "image=2,4,8,8"});
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("time   share         rate\n"), HasSubstr("25.0 us  25.0 %  2.9 GFLOP/s\n"),
            HasSubstr("op             steps    FLOPs      time   share         rate\n"
                      "convolution        2  294.9 k  197.5 us  98.7 %  1.5 GFLOP/s\n"
                      "range_check        1        0    2.0 us   1.0 %\n"
                      "inner_product      1   41.0 k    0.5 us   0.3 %   75 GFLOP/s\n"),
            HasSubstr("measured 208.0 us, the median of 20 runs, 1.6 GFLOP/s\n")));
  EXPECT_EQ(request_.profile_runs(), 20u);
  ASSERT_EQ(request_.inputs_size(), 1);
  EXPECT_EQ(request_.inputs(0).name(), "image");
  EXPECT_THAT(request_.inputs(0).shape(), testing::ElementsAre(2, 4, 8, 8));
}

TEST_F(PlanTest, AsksForTheNameOfTheOnlyInput) {
  Answer(Plan());
  server_.handlers.describe = [](const v1::DescribeNetworkRequest&) {
    v1::DescribeNetworkResponse response;
    SetTensor(*response.add_inputs(), "image", {-1, 4, -1, -1});
    return response;
  };
  EXPECT_EQ(Ask({"describe", "net", "--plan", "--shape", "2,4,8,8"}).code, kDone);
  EXPECT_EQ(request_.inputs(0).name(), "image");
}

TEST_F(PlanTest, ANetworkWithoutKernelsHasNoColumnsForThem) {
  v1::DescribePlanResponse plan = Plan();
  plan.set_has_kernels(false);
  plan.clear_groups();
  plan.clear_cached_plans();
  Answer(plan);
  EXPECT_THAT(Ask({"describe", "net", "--plan"}).out,
              AllOf(HasSubstr("net version 2: not bound: its ops, without kernels\n"),
                    Not(HasSubstr("kernel  ")), Not(HasSubstr("memory")), Not(HasSubstr("batch")),
                    Not(HasSubstr("cached for"))));
}

TEST_F(PlanTest, GivesJson) {
  Answer(MeasuredPlan());
  const Outcome outcome = Ask({"describe", "net", "--plan", "--json"});
  EXPECT_EQ(outcome.out, Ask({"describe", "net", "--plan", "--format", "json"}).out);
  const json plan = json::parse(outcome.out);
  EXPECT_EQ(plan["groups"], json::parse(R"([{"count": 2, "items": 1, "missing_items": 0}])"));
  EXPECT_EQ(plan["steps"][0]["calls"], 2);
  EXPECT_EQ(plan["flops"], 2 * (2 * 73728 + 20480));
  EXPECT_EQ(plan["bytes_read"], 2 * (3328 + 4096 + 3328));
  EXPECT_EQ(plan["measured_microseconds"], 208);
  ASSERT_EQ(plan["steps"].size(), 4u);
  const json& conv = plan["steps"][0];
  EXPECT_EQ(conv["op"], "convolution");
  EXPECT_EQ(conv["fused"], json({"relu"}));
  EXPECT_EQ(conv["implementation"], "brgconv:avx512_core");
  EXPECT_EQ(conv["inputs"][0]["input"], 0);
  EXPECT_EQ(conv["inputs"][1]["constant"], "conv1.weight");
  EXPECT_EQ(conv["inputs"][1]["layout"], nullptr);
  EXPECT_EQ(conv["output"], json::parse(R"({"datatype": "FP32", "shape": [1, 16, 8, 8],
      "layout": "nhwc", "bytes": 4096, "step": 0})"));
  EXPECT_DOUBLE_EQ(conv["share"], 0.25);
  EXPECT_EQ(plan["steps"][1]["output"], nullptr);
  EXPECT_EQ(plan["output_values"][0]["step"], 3);
  EXPECT_EQ(plan["cached_plans"][0]["inputs"][0]["name"], "image");

  Answer(Plan());
  const json unmeasured = json::parse(Ask({"describe", "net", "--plan", "--json"}).out);
  EXPECT_EQ(unmeasured["measured_microseconds"], nullptr);
  EXPECT_EQ(unmeasured["steps"][0]["measured_microseconds"], nullptr);
  EXPECT_EQ(unmeasured["steps"][0]["share"], nullptr);
}

TEST_F(PlanTest, GivesAGraphForGraphviz) {
  v1::DescribePlanResponse plan = MeasuredPlan();
  plan.mutable_steps(3)->set_layer("say \"fc\\\"");
  Answer(plan);
  const std::string graph = Ask({"describe", "net", "--plan", "--format", "dot"}).out;
  EXPECT_TRUE(graph.starts_with("digraph plan {\n"));
  EXPECT_TRUE(graph.ends_with("}\n"));
  EXPECT_THAT(
      graph,
      AllOf(HasSubstr("input_0 [shape=ellipse, label=\"image\"];\n"),
            HasSubstr("label=\"#0 conv1\\nconvolution+relu\\nbrgconv:avx512_core\\n25.0 us, 25.0 "
                      "%\"];\n"),
            HasSubstr("  input_0 -> step_0 [label=\"FP32 1x4x8x8 dense\"];\n"),
            HasSubstr("  step_0 -> step_2 [label=\"FP32 1x16x8x8 nhwc\"];\n"),
            HasSubstr("  step_3 -> output_0 [label=\"FP32 1x10 dense\"];\n"),
            HasSubstr("#3 say \\\"fc\\\\\\\"\\n")));
  // Constants are no edges.
  EXPECT_EQ(Count(graph, " -> "), 6u);
}

TEST_F(PlanTest, DrawsASelfContainedPicture) {
  v1::DescribePlanResponse plan = MeasuredPlan();
  plan.mutable_steps(3)->set_layer("a<b>&\"c\"");
  Answer(plan);
  const std::string picture = Ask({"describe", "net", "--plan", "--format", "svg"}).out;
  EXPECT_TRUE(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  EXPECT_TRUE(picture.ends_with("</svg>\n"));
  EXPECT_THAT(picture, AllOf(HasSubstr("a&lt;b&gt;&amp;&quot;c&quot;"), Not(HasSubstr("a<b>")),
                             HasSubstr(">convolution+relu</text>"), Not(HasSubstr("href"))));
  // Every element that is begun ends.
  for (const std::string element : {"g", "text", "title"}) {
    EXPECT_EQ(Count(picture, "<" + element + ">") + Count(picture, "<" + element + " "),
              Count(picture, "</" + element + ">"))
        << element;
  }
  // A dot for each input, step and output; the longest bar is the second convolution's.
  EXPECT_EQ(Count(picture, "<circle "), 6u);
  EXPECT_EQ(Count(picture, "width=\"260.0\""), 1u);
  // Each step that is read in the next row, and the two values that are read further down.
  EXPECT_EQ(Count(picture, "<path "), 4u + 2u);
}

TEST_F(PlanTest, RefusesAnAnswerThatIsNoPlan) {
  v1::DescribePlanResponse plan = Plan();
  plan.mutable_steps(2)->mutable_inputs(0)->set_step(2);
  Answer(plan);
  for (const char* format : {"text", "json", "dot", "svg"}) {
    const Outcome outcome = Ask({"describe", "net", "--plan", "--format", format});
    EXPECT_EQ(outcome.code, kRefused);
    EXPECT_THAT(outcome.err, HasSubstr("wants one of 2 steps as a source, got step 2"));
    EXPECT_EQ(outcome.out, "");
  }
  plan = Plan();
  plan.mutable_steps(0)->mutable_inputs(0)->set_input(1);
  Answer(plan);
  EXPECT_EQ(Ask({"describe", "net", "--plan"}).code, kRefused);
  plan = Plan();
  plan.clear_output_values();
  Answer(plan);
  EXPECT_EQ(Ask({"describe", "net", "--plan"}).code, kRefused);
}

TEST_F(PlanTest, FlagsOfPlansWantAPlan) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--shape", "1,2"}, {"--profile", "3"}, {"--format", "dot"}};
  for (const auto& flags : wrong) {
    std::vector<std::string> args = {"describe", "net"};
    args.insert(args.end(), flags.begin(), flags.end());
    const Outcome outcome = Ask(args);
    EXPECT_EQ(outcome.code, kUsage);
    EXPECT_THAT(outcome.err, HasSubstr(flags[0] + " wants --plan"));
  }
  EXPECT_EQ(Ask({"describe", "net", "--plan", "--profile", "1001"}).code, kUsage);
  EXPECT_EQ(Ask({"describe", "net", "--plan", "--profile", "0"}).code, kUsage);
  EXPECT_EQ(Ask({"describe", "net", "--plan", "--format", "png"}).code, kUsage);
  EXPECT_EQ(Ask({"describe", "net", "--plan", "--json", "--format", "dot"}).code, kUsage);
}

TEST_F(PlanTest, SaysWhatTheServerRefuses) {
  server_.handlers.describe_plan =
      [](const v1::DescribePlanRequest&) -> absl::StatusOr<v1::DescribePlanResponse> {
    return FailedPrecondition("there is no plan yet");
  };
  const Outcome outcome = Ask({"describe", "net", "--plan"});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("FAILED_PRECONDITION: there is no plan yet"));
}

}  // namespace
}  // namespace lazynet::cli
