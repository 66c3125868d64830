#include "engine/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/threads.h"
#include "tests/support/definitions.h"
#include "tests/support/run_network.h"
#include "tests/support/run_op.h"

namespace lazynet::plan {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::LazyMlp;
using testing::NetworkOf;
using testing::Noise;
using testing::PerAxis;
using testing::RunNetwork;
using testing::RunPlan;
using testing::Values;
using testing::Values64;

struct BackendCase {
  std::string name;
  std::function<std::unique_ptr<backend::Backend>()> make;
};

class PlanOn : public ::testing::TestWithParam<BackendCase> {
 protected:
  void SetUp() override {
    backend::SetKernelThreads(1);
    backend_ = GetParam().make();
  }
  const backend::Backend& backend() const { return *backend_; }

 private:
  std::unique_ptr<backend::Backend> backend_;
};

std::vector<float> FloatsOf(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

void ExpectNear(const Tensor& got, const Tensor& wanted) {
  ASSERT_EQ(got.shape(), wanted.shape());
  const auto a = got.values<float>();
  const auto b = wanted.values<float>();
  // Sums in another order differ by a few units in the last place of values of order 1.
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], 2e-5 * (1 + std::fabs(b[i]))) << "element " << i;
  }
}

// conv, batch norm and relu; a residual; a pool; and a linear head, with statistics that are not 0
// and 1, so that folding them shows.
struct SmallCnn {
  std::shared_ptr<const nn::Network> network;
  nn::ParameterSet set;
};

SmallCnn MakeSmallCnn(std::vector<nn::OutputDefinition> outputs = {}) {
  nn::NetworkDefinition definition = DefinitionOf(
      {LayerOf("conv", "Conv2d",
               {Arg("out_channels", 6), PerAxis("kernel_size", {3}), PerAxis("padding", {1})}),
       LayerOf("bn", "BatchNorm2d"), LayerOf("relu", "ReLU"),
       LayerOf("deconv", "ConvTranspose2d",
               {Arg("out_channels", 6), PerAxis("kernel_size", {1}), Arg("groups", 2)}),
       LayerOf("bn2", "BatchNorm2d"), LayerOf("sum", "Add", {}, {"bn2", "relu"}),
       LayerOf("pool", "MaxPool2d", {PerAxis("kernel_size", {2})}), LayerOf("flat", "Flatten"),
       LayerOf("drop", "Dropout"), LayerOf("fc", "Linear", {Arg("out_features", 4)}),
       LayerOf("bn3", "BatchNorm1d")});
  definition.outputs = std::move(outputs);
  const auto network = NetworkOf(definition);
  nn::StateDict statistics;
  for (const auto& [name, channels] : {std::pair{"bn", 6}, {"bn2", 6}, {"bn3", 4}}) {
    std::vector<float> mean, variance, weight, bias;
    for (int c = 0; c < channels; ++c) {
      const auto f = static_cast<float>(c);
      mean.push_back(0.1f * f - 0.2f);
      variance.push_back(0.5f + 0.3f * f);
      weight.push_back(1.5f - 0.2f * f);
      bias.push_back(0.05f * f);
    }
    const Shape shape{channels};
    const std::string prefix(name);
    statistics.emplace_back(prefix + ".running_mean", Values(shape, mean));
    statistics.emplace_back(prefix + ".running_var", Values(shape, variance));
    statistics.emplace_back(prefix + ".weight", Values(shape, weight));
    statistics.emplace_back(prefix + ".bias", Values(shape, bias));
  }
  auto set = nn::LoadStateDict(*network, nn::ParameterSet::Declared(*network), statistics);
  LAZYNET_CHECK(set.ok());
  return {network, *std::move(set)};
}

TEST_P(PlanOn, AgreesWithTheReferenceRunOpByOp) {
  const SmallCnn cnn = MakeSmallCnn();
  for (const int64_t batch : {1, 3}) {
    const Tensor input = Noise({batch, 3, 6, 8}, 7);
    const auto reference = backend::MakeReferenceBackend();
    const auto wanted = RunNetwork(*cnn.network, cnn.set, {input}, *reference, {.optimize = false});
    const auto got = RunNetwork(*cnn.network, cnn.set, {input}, backend());
    ASSERT_TRUE(wanted.ok() && got.ok()) << wanted.status() << got.status();
    ExpectNear((*got)[0], (*wanted)[0]);
  }
}

TEST_P(PlanOn, EveryLayerCanBeAnOutput) {
  const SmallCnn whole = MakeSmallCnn();
  std::vector<nn::OutputDefinition> outputs;
  for (const nn::Node& node : whole.network->nodes()) outputs.push_back({node.name, node.name});
  outputs.push_back({"again", "sum"});
  outputs.push_back({"echo", "input"});
  const SmallCnn all = MakeSmallCnn(outputs);
  const Tensor input = Noise({2, 3, 6, 8}, 7);
  const auto wanted = RunNetwork(*all.network, all.set, {input}, *backend::MakeReferenceBackend(),
                                 {.optimize = false});
  const auto got = RunNetwork(*all.network, all.set, {input}, backend());
  const auto alone = RunNetwork(*whole.network, whole.set, {input}, backend());
  ASSERT_TRUE(wanted.ok() && got.ok() && alone.ok()) << got.status();
  ASSERT_EQ(got->size(), outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) ExpectNear((*got)[i], (*wanted)[i]);
  ExpectNear((*alone)[0], (*wanted)[10]);
  EXPECT_EQ(FloatsOf((*got)[12]), FloatsOf(input));
}

TEST_P(PlanOn, HandComputedMlp) {
  const auto network = NetworkOf(
      DefinitionOf({LayerOf("fc", "Linear", {Arg("out_features", 2)}), LayerOf("relu", "ReLU")}));
  const nn::StateDict weights{{"fc.weight", Values({2, 3}, {1, 2, 3, -1, -2, -3})},
                              {"fc.bias", Values({2}, {10, 5})}};
  const auto set = nn::LoadStateDict(*network, nn::ParameterSet::Declared(*network), weights);
  ASSERT_TRUE(set.ok());
  auto got = RunNetwork(*network, *set, {Values({2, 3}, {1, 1, 1, 2, 0, 1})}, backend());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(FloatsOf((*got)[0]), (std::vector<float>{16, 0, 15, 0}));
  got = RunNetwork(*network, *set, {Values({3}, {1, 1, 1})}, backend());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ((*got)[0].shape(), Shape{2});
  EXPECT_EQ(FloatsOf((*got)[0]), (std::vector<float>{16, 0}));
}

TEST_P(PlanOn, AnEmptyBatchGivesAnEmptyResult) {
  const SmallCnn cnn = MakeSmallCnn({{"conv", "conv"}, {"fc", "bn3"}, {"echo", "input"}});
  const auto got = RunNetwork(*cnn.network, cnn.set, {Values({0, 3, 6, 8}, {})}, backend());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ((*got)[0].shape(), (Shape{0, 6, 6, 8}));
  EXPECT_EQ((*got)[1].shape(), (Shape{0, 4}));
  EXPECT_EQ((*got)[2].shape(), (Shape{0, 3, 6, 8}));
}

// relu, max pooling, clamps and sums must not lose a NaN, as oneDNN's own would.
TEST_P(PlanOn, NanInGivesNanOut) {
  const SmallCnn cnn = MakeSmallCnn();
  Tensor input = Noise({2, 3, 6, 8}, 7);
  input.mutable_view().values<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  const auto got = RunNetwork(*cnn.network, cnn.set, {input}, backend());
  ASSERT_TRUE(got.ok()) << got.status();
  const auto values = (*got)[0].values<float>();
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(std::isnan(values[i])) << i;
  for (size_t i = 4; i < 8; ++i) EXPECT_FALSE(std::isnan(values[i])) << i;

  const auto network = NetworkOf(DefinitionOf(
      {LayerOf("relu", "ReLU"), LayerOf("relu6", "ReLU6"), LayerOf("sigmoid", "Hardsigmoid"),
       LayerOf("pool", "MaxPool1d", {PerAxis("kernel_size", {2})})}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto pooled = RunNetwork(*network, {Values({1, 1, 4}, {nan, 1, 3, 2})}, backend());
  ASSERT_TRUE(pooled.ok()) << pooled.status();
  EXPECT_TRUE(std::isnan((*pooled)[0].values<float>()[0]));
  EXPECT_FLOAT_EQ((*pooled)[0].values<float>()[1], 1.0f);
}

TEST_P(PlanOn, BatchSizesShareThePackedWeights) {
  const SmallCnn cnn = MakeSmallCnn();
  const Shape one{1, 3, 6, 8};
  const auto set = nn::Materialize(*cnn.network, cnn.set, {&one, 1}, {});
  SharedParts shared;
  ASSERT_TRUE(Plan::Build(*cnn.network, *set, {&one, 1}, backend(), shared).ok());
  const size_t bytes = shared.packed.bytes();
  const Shape many{32, 3, 6, 8};
  ASSERT_TRUE(Plan::Build(*cnn.network, *set, {&many, 1}, backend(), shared).ok());
  EXPECT_EQ(shared.packed.bytes(), bytes);
}

// By several threads when there are some: the plan is the same.
TEST_P(PlanOn, WeightsAreTheSameWhoeverPacksThem) {
  const SmallCnn cnn = MakeSmallCnn();
  const Shape shape{2, 3, 6, 8};
  const Tensor input = Noise(shape, 7);
  const auto set = nn::Materialize(*cnn.network, cnn.set, {&shape, 1}, {});
  std::vector<std::vector<float>> results;
  std::vector<size_t> bytes;
  for (const int threads : {1, 3}) {
    SharedParts shared;
    const auto plan =
        Plan::Build(*cnn.network, *set, {&shape, 1}, backend(), shared, {.build_threads = threads});
    ASSERT_TRUE(plan.ok()) << plan.status();
    bytes.push_back(shared.packed.bytes());
    const auto outputs = RunPlan(**plan, {input});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    results.push_back(FloatsOf((*outputs)[0]));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(bytes[0], bytes[1]);
}

// Sums with what a convolution or linear layer makes: the first five it may be added to, not what
// is needed later, is convolved, is the caller's, the same, or stretched.
struct Residual {
  std::string name;
  std::vector<nn::LayerDefinition> layers;
};

std::vector<Residual> Residuals() {
  const auto conv = [](std::string name, std::string input, int groups = 1) {
    return LayerOf(std::move(name), "Conv2d",
                   {Arg("out_channels", 6), PerAxis("kernel_size", {3}), PerAxis("padding", {1}),
                    Arg("groups", groups)},
                   {std::move(input)});
  };
  const auto add = [](std::string name, std::vector<std::string> inputs) {
    return LayerOf(std::move(name), "Add", {}, std::move(inputs));
  };
  const auto linear = [](std::string name, std::string input) {
    return LayerOf(std::move(name), "Linear", {Arg("out_features", 20)}, {std::move(input)});
  };
  return {
      {"last", {conv("a", "input"), conv("b", "a"), conv("c", "b"), add("s", {"c", "a"})}},
      {"first", {conv("a", "input"), conv("b", "a"), conv("c", "b"), add("s", {"a", "c"})}},
      {"both are convolutions",
       {conv("a", "input"), conv("b", "a"), conv("c", "a"), add("s", {"b", "c"})}},
      {"depthwise", {conv("a", "input"), conv("b", "a"), conv("c", "b", 6), add("s", {"c", "a"})}},
      {"linear",
       {LayerOf("f", "Flatten"), linear("a", "f"), linear("b", "a"), linear("c", "b"),
        add("s", {"a", "c"})}},
      {"needed later",
       {conv("a", "input"), conv("b", "a"), conv("c", "b"), add("s", {"c", "a"}),
        add("t", {"s", "a"})}},
      {"what is convolved", {conv("a", "input"), conv("b", "a"), add("s", {"b", "a"})}},
      {"the network's input",
       {LayerOf("a", "Conv2d", {Arg("out_channels", 3), PerAxis("kernel_size", {1})}),
        add("s", {"a", "input"})}},
      {"twice the same", {conv("a", "input"), add("s", {"a", "a"})}},
      {"stretched",
       {conv("a", "input"), LayerOf("pool", "AdaptiveAvgPool2d", {PerAxis("output_size", {1})}),
        conv("b", "a"), add("s", {"b", "pool"})}},
  };
}

TEST_P(PlanOn, ResidualsAreAddedToWhatTheyBelong) {
  for (const Residual& residual : Residuals()) {
    SCOPED_TRACE(residual.name);
    const auto network = NetworkOf(DefinitionOf(residual.layers));
    const Tensor input = Noise({2, 3, 6, 8}, 7);
    const auto set = nn::ParameterSet::Declared(*network);
    const auto wanted =
        RunNetwork(*network, set, {input}, *backend::MakeReferenceBackend(), {.optimize = false});
    const auto got = RunNetwork(*network, set, {input}, backend());
    ASSERT_TRUE(wanted.ok() && got.ok()) << wanted.status() << got.status();
    ExpectNear((*got)[0], (*wanted)[0]);
  }
}

// Fused activations would make numbers of NaN, and Winograd's algorithm NaN of numbers: the result
// is to be as without them.
TEST_P(PlanOn, NanIsNeitherLostNorSpread) {
  const auto conv = [](std::string name, int kernel) {
    return LayerOf(std::move(name), "Conv2d",
                   {Arg("out_channels", 16), PerAxis("kernel_size", {kernel}),
                    PerAxis("padding", {kernel / 2})});
  };
  const auto network = NetworkOf(DefinitionOf(
      {conv("a", 3), LayerOf("relu", "ReLU"), conv("b", 3), LayerOf("relu6", "ReLU6"), conv("c", 1),
       LayerOf("sum", "Add", {}, {"c", "relu"}), LayerOf("last", "ReLU")}));
  const auto set = nn::ParameterSet::Declared(*network);
  using Limits = std::numeric_limits<float>;
  for (const float special :
       {1.0f, Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), 3e38f, 1e13f}) {
    Tensor input = Noise({3, 3, 12, 16}, 7);
    input.mutable_view().values<float>()[200] = special;
    const auto wanted = RunNetwork(*network, set, {input}, backend(), {.optimize = false});
    const auto got = RunNetwork(*network, set, {input}, backend());
    ASSERT_TRUE(wanted.ok() && got.ok()) << wanted.status() << got.status();
    const std::vector<float> a = FloatsOf((*wanted)[0]);
    const std::vector<float> b = FloatsOf((*got)[0]);
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(std::isnan(b[i]), std::isnan(a[i])) << special << " element " << i;
      if (!std::isfinite(a[i])) continue;
      ASSERT_NEAR(b[i], a[i], 2e-5 * (1 + std::fabs(a[i]))) << special << " element " << i;
    }
  }
}

TEST_P(PlanOn, RunsABatchInGroupsWithTheSameResult) {
  const SmallCnn cnn = MakeSmallCnn();
  const Tensor input = Noise({6, 3, 6, 8}, 7);
  const auto whole = RunNetwork(*cnn.network, cnn.set, {input}, backend(), {.group_size = 6});
  ASSERT_TRUE(whole.ok()) << whole.status();
  for (const int64_t size : {1, 2, 3}) {
    const auto grouped =
        RunNetwork(*cnn.network, cnn.set, {input}, backend(), {.group_size = size});
    ASSERT_TRUE(grouped.ok()) << grouped.status();
    ExpectNear((*grouped)[0], (*whole)[0]);
  }
}

TEST_P(PlanOn, ThreadsShareTheGroupsOfABatch) {
  const auto network = NetworkOf(
      DefinitionOf({LayerOf("fc", "Linear", {Arg("out_features", 1024)}), LayerOf("relu", "ReLU"),
                    LayerOf("head", "Linear", {Arg("out_features", 8)})}));
  const Tensor input = Noise({7, 2048}, 7);
  const Shape shape = input.shape();
  const auto set = nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&shape, 1}, {});
  SharedParts shared;
  const auto one = Plan::Build(*network, *set, {&shape, 1}, backend(), shared, {.group_size = 1});
  const auto two =
      Plan::Build(*network, *set, {&shape, 1}, backend(), shared, {.threads = 2, .group_size = 1});
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ((*one)->parallel_groups(), 1);
  EXPECT_EQ((*two)->parallel_groups(), 2);
  EXPECT_EQ((*two)->arena_bytes(), 2 * (*one)->arena_bytes());
  const auto wanted = RunPlan(**one, {input});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(FloatsOf((*RunPlan(**two, {input}))[0]), FloatsOf((*wanted)[0]));
  }
}

TEST_P(PlanOn, OneItemOfABatchIsComputedAsIfAlone) {
  const SmallCnn cnn = MakeSmallCnn();
  const Tensor input = Noise({5, 3, 6, 8}, 7);
  const auto batch = RunNetwork(*cnn.network, cnn.set, {input}, backend(), {.group_size = 1});
  ASSERT_TRUE(batch.ok()) << batch.status();
  const size_t row = input.bytes() / 5;
  for (size_t i = 0; i < 5; ++i) {
    const Tensor item = Tensor::Wrap(DType::kFp32, {1, 3, 6, 8}, std::make_shared<Tensor>(input),
                                     input.data() + i * row);
    const auto alone = RunNetwork(*cnn.network, cnn.set, {item}, backend());
    ASSERT_TRUE(alone.ok());
    const auto wanted = FloatsOf((*alone)[0]);
    const auto all = FloatsOf((*batch)[0]);
    EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), all.begin() + i * wanted.size()));
  }
}

// Beside one that is computed: at once, in groups, and in one that is filled up.
TEST_P(PlanOn, AnOutputThatIsAnInputSharesItsMemory) {
  nn::NetworkDefinition definition =
      DefinitionOf({LayerOf("same", "Identity"), LayerOf("flat", "Flatten"),
                    LayerOf("fc", "Linear", {Arg("out_features", 512)}), LayerOf("relu", "ReLU"),
                    LayerOf("head", "Linear", {Arg("out_features", 5)})});
  definition.outputs = {{"head", "head"}, {"flat", "flat"}, {"same", "same"}};
  const auto network = NetworkOf(definition);
  const Shape largest{18, 4, 256};
  const auto set =
      nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&largest, 1}, {});
  SharedParts shared;
  const Tensor all = Noise(largest, 7);
  const auto run = [&](const Tensor& input, PlanOptions options) {
    const auto plan =
        Plan::Build(*network, *set, std::vector{input.shape()}, backend(), shared, options);
    EXPECT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ((*plan)->PassedOn(0), std::nullopt);
    EXPECT_EQ((*plan)->PassedOn(1), 0u);
    EXPECT_EQ((*plan)->PassedOn(2), 0u);
    const bool is_short = input.shape().dim(0) == 17;
    EXPECT_EQ((*plan)->parts()[0].groups.missing, is_short ? 1 : 0);
    Workspace workspace;
    const auto outputs = (*plan)->Run({&input, 1}, workspace);
    EXPECT_TRUE(outputs.ok()) << outputs.status();
    EXPECT_EQ((*outputs)[1].data(), input.data());
    EXPECT_EQ((*outputs)[1].shape(), Shape({input.shape().dim(0), 1024}));
    EXPECT_EQ((*outputs)[2].data(), input.data());
    EXPECT_EQ((*outputs)[2].shape(), input.shape());
    // Where it is written to, it is the same.
    const auto copies = RunPlan(**plan, {input});
    EXPECT_EQ(FloatsOf((*copies)[1]), FloatsOf(input));
    return FloatsOf((*outputs)[0]);
  };
  const std::vector<float> wanted = run(all, {});
  const std::vector<float> filled_up = run(all.Part({17, 4, 256}), {});
  ASSERT_EQ(filled_up.size(), 17u * 5u);
  EXPECT_TRUE(std::equal(filled_up.begin(), filled_up.end(), wanted.begin()));
  for (const int threads : {1, 2}) {
    const std::vector<float> grouped = run(all, {.threads = threads, .group_size = 4});
    for (size_t i = 0; i < wanted.size(); ++i) ASSERT_NEAR(grouped[i], wanted[i], 1e-5);
  }
  EXPECT_EQ(FloatsOf(all), FloatsOf(Noise(largest, 7)));
}

TEST_P(PlanOn, BatchesOfManySizesShareOneProgram) {
  const SmallCnn cnn = MakeSmallCnn();
  SharedParts shared;
  Shape shape{4, 3, 6, 8};
  const auto set = nn::Materialize(*cnn.network, cnn.set, {&shape, 1}, {});
  const auto one =
      Plan::Build(*cnn.network, *set, {&shape, 1}, backend(), shared, {.group_size = 1});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ((*one)->groups(), 4);
  EXPECT_NE(shared.programs.Find({{{1, 3, 6, 8}}, DType::kFp32, 1}), nullptr);
  EXPECT_EQ(shared.programs.Find({{{4, 3, 6, 8}}, DType::kFp32, 1}), nullptr);
  shape = {1, 3, 6, 8};
  const auto kept = shared.programs.Find({{shape}, DType::kFp32, 1});
  const auto other = Plan::Build(*cnn.network, *set, {&shape, 1}, backend(), shared);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(shared.programs.Find({{shape}, DType::kFp32, 1}), kept);
}

// Reading its weights takes longer than computing a few items.
std::shared_ptr<const nn::Network> NetworkOfManyWeights() {
  return NetworkOf(
      DefinitionOf({LayerOf("fc", "Linear", {Arg("out_features", 512)}), LayerOf("relu", "ReLU"),
                    LayerOf("head", "Linear", {Arg("out_features", 5)})}));
}

TEST_P(PlanOn, ABatchIsFilledUpToASizeThatHasAProgram) {
  const auto network = NetworkOfManyWeights();
  const Shape largest{18, 1024};
  const auto set =
      nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&largest, 1}, {});
  SharedParts shared;
  const auto full = Plan::Build(*network, *set, {&largest, 1}, backend(), shared);
  ASSERT_TRUE(full.ok());
  const Shape shape{17, 1024};
  const auto short_of = Plan::Build(*network, *set, {&shape, 1}, backend(), shared);
  ASSERT_TRUE(short_of.ok());
  ASSERT_EQ((*short_of)->parts().size(), 1u);
  EXPECT_EQ((*short_of)->parts()[0].groups, (Groups{.size = 18, .count = 1, .missing = 1}));
  EXPECT_EQ((*short_of)->parts()[0].program, (*full)->parts()[0].program);

  const Tensor input = Noise(largest, 7);
  const Tensor items =
      Tensor::Wrap(DType::kFp32, shape, std::make_shared<Tensor>(input), input.data());
  const auto wanted = FloatsOf((*RunPlan(**full, {input}))[0]);
  const auto got = FloatsOf((*RunPlan(**short_of, {items}))[0]);
  ASSERT_EQ(got.size(), 17u * 5u);
  EXPECT_TRUE(std::equal(got.begin(), got.end(), wanted.begin()));
}

TEST_P(PlanOn, ABatchEndsWithASmallerGroup) {
  const SmallCnn cnn = MakeSmallCnn();
  const Tensor input = Noise({11, 3, 6, 8}, 7);
  const auto whole = RunNetwork(*cnn.network, cnn.set, {input}, backend(), {.group_size = 11});
  ASSERT_TRUE(whole.ok()) << whole.status();
  for (const int threads : {1, 2}) {
    const auto grouped = RunNetwork(*cnn.network, cnn.set, {input}, backend(),
                                    {.threads = threads, .group_size = 4});
    ASSERT_TRUE(grouped.ok()) << grouped.status();
    ExpectNear((*grouped)[0], (*whole)[0]);
  }
}

TEST_P(PlanOn, FewProgramsServeBatchesOfAllSizes) {
  const auto network = NetworkOfManyWeights();
  const Shape one{1, 64};
  const auto set = nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&one, 1}, {});
  SharedParts shared;
  std::vector<std::shared_ptr<const Plan>> plans;
  std::set<const Program*> programs;
  for (int64_t batch = 16; batch <= 64; ++batch) {
    const Shape shape{batch, 64};
    plans.push_back(*Plan::Build(*network, *set, {&shape, 1}, backend(), shared));
    for (const Plan::Part& part : plans.back()->parts()) programs.insert(part.program.get());
    const Tensor input = Noise(shape, 3);
    const auto whole = RunNetwork(*network, *set, {input}, backend(), {.optimize = false});
    ExpectNear((*RunPlan(*plans.back(), {input}))[0], (*whole)[0]);
  }
  // 16, 18, .. 30, 32, 36, .. 64, and what is left of a batch: 1, 2 and 3.
  EXPECT_LE(programs.size(), 8u + 9u + 3u);
}

TEST_P(PlanOn, BatchesWhoseItemsDependOnEachOtherRunAtOnce) {
  const auto network =
      NetworkOf(DefinitionOf({LayerOf("norm", "BatchNorm1d", {Arg("track_running_stats", false)}),
                              LayerOf("fc", "Linear", {Arg("out_features", 3)})}));
  const Shape shape{4, 5};
  const auto set = nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&shape, 1}, {});
  ASSERT_TRUE(set.ok()) << set.status();
  SharedParts shared;
  const auto plan =
      Plan::Build(*network, *set, {&shape, 1}, backend(), shared, {.threads = 2, .group_size = 1});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((*plan)->groups(), 1);
}

TEST_P(PlanOn, AnErrorOfOneGroupIsThatOfTheRun) {
  const auto network =
      NetworkOf({.name = "net",
                 .inputs = {{.name = "ids", .dtype = DType::kInt64}},
                 .layers = {LayerOf("embedding", "Embedding",
                                    {Arg("num_embeddings", 4),
                                     Arg("embedding_dim", 400000)})}});  // for two threads
  absl::StatusOr<Tensor> ids = Tensor::Allocate(DType::kInt64, {4, 1});
  for (const int64_t wrong : {0, 3}) {
    auto values = ids->mutable_view().values<int64_t>();
    std::fill(values.begin(), values.end(), 1);
    values[static_cast<size_t>(wrong)] = 9;
    for (const int threads : {1, 2}) {
      const auto result = RunNetwork(*network, nn::ParameterSet::Declared(*network), {*ids},
                                     backend(), {.threads = threads, .group_size = 1});
      EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << result.status();
    }
  }
}

TEST_P(PlanOn, RunsAgainWithTheSameResultAndAsAPlanOfAnyLane) {
  const SmallCnn cnn = MakeSmallCnn();
  const Shape shape{2, 3, 6, 8};
  const auto set = nn::Materialize(*cnn.network, cnn.set, {&shape, 1}, {});
  SharedParts shared;
  const auto plan = Plan::Build(*cnn.network, *set, {&shape, 1}, backend(), shared);
  ASSERT_TRUE(plan.ok());
  const Tensor input = Noise(shape, 3);
  const auto first = RunPlan(**plan, {input});
  const auto second = RunPlan(**plan, {input});
  EXPECT_EQ(FloatsOf((*first)[0]), FloatsOf((*second)[0]));
}

TEST_P(PlanOn, ProfilesEveryStepOfARunLikeAnyOther) {
  const SmallCnn cnn = MakeSmallCnn();
  const Shape shape{2, 3, 6, 8};
  const auto set = nn::Materialize(*cnn.network, cnn.set, {&shape, 1}, {});
  SharedParts shared;
  const auto plan = Plan::Build(*cnn.network, *set, {&shape, 1}, backend(), shared);
  ASSERT_TRUE(plan.ok());
  const Tensor input = Noise(shape, 3);
  const auto wanted = RunPlan(**plan, {input});

  const TensorSpec& spec = (*plan)->outputs().front();
  absl::StatusOr<Tensor> output = Tensor::Allocate(spec.dtype, spec.shape);
  const TensorView source = input.view();
  const MutableTensorView destination = output->mutable_view();
  Workspace workspace;
  std::vector<std::chrono::nanoseconds> times((*plan)->step_count());
  ASSERT_TRUE((*plan)->Profile({&source, 1}, {&destination, 1}, workspace, times).ok());
  EXPECT_EQ(FloatsOf(*output), FloatsOf((*wanted)[0]));
  const auto total = std::accumulate(times.begin(), times.end(), std::chrono::nanoseconds(0));
  EXPECT_GT(total.count(), 0);
}

TEST_P(PlanOn, OnlyWhatIsLargeUsesManyThreads) {
  const auto network =
      NetworkOf(DefinitionOf({LayerOf("large", "Linear", {Arg("out_features", 2048)}),
                              LayerOf("small", "Linear", {Arg("out_features", 8)})}));
  const auto threads_of_steps = [&](Shape shape) {
    const auto set =
        nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&shape, 1}, {});
    SharedParts shared;
    PlanDescription description;
    const auto plan =
        Plan::Build(*network, *set, {&shape, 1}, backend(), shared, {.threads = 2}, &description);
    LAZYNET_CHECK(plan.ok() && (*plan)->groups() == 1);
    std::vector<int> threads;
    for (const StepInfo& step : description.steps) threads.push_back(step.threads);
    return threads;
  };
  EXPECT_EQ(threads_of_steps({1, 2048}), (std::vector<int>{2, 1}));
  EXPECT_EQ(threads_of_steps({1, 16}), (std::vector<int>{1, 1}));
}

TEST_P(PlanOn, RefusesPlansBeyondTheLimit) {
  const auto network = NetworkOf(LazyMlp());
  const Shape shape{1000, 10};
  const auto set = nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&shape, 1}, {});
  SharedParts shared;
  const auto plan =
      Plan::Build(*network, *set, {&shape, 1}, backend(), shared, {.max_arena_bytes = 1000});
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kResourceExhausted);
}

INSTANTIATE_TEST_SUITE_P(Backends, PlanOn,
                         ::testing::Values(BackendCase{"reference", backend::MakeReferenceBackend},
                                           BackendCase{"onednn",
                                                       [] {
                                                         return backend::MakeOnednnBackend(
                                                             backend::MakeReferenceBackend());
                                                       }}),
                         [](const auto& test) { return test.param.name; });

TEST(Plan, FoldsNormalizationIntoWhatComesBefore) {
  const SmallCnn cnn = MakeSmallCnn();
  const auto reference = backend::MakeReferenceBackend();
  const Shape shape{1, 3, 6, 8};
  const auto set = nn::Materialize(*cnn.network, cnn.set, {&shape, 1}, {});
  SharedParts shared;
  PlanDescription description;
  ASSERT_TRUE(
      Plan::Build(*cnn.network, *set, {&shape, 1}, *reference, shared, {}, &description).ok());
  std::vector<std::string> ops;
  for (const StepInfo& step : description.steps) ops.push_back(step.layer + ":" + step.op);
  EXPECT_EQ(ops, (std::vector<std::string>{"conv:convolution", "relu:relu", "deconv:deconvolution",
                                           "sum:add", "pool:max_pooling", "fc:inner_product"}));
}

TEST(Plan, FusesResidualsOnOnednn) {
  const auto onednn = backend::MakeOnednnBackend(backend::MakeReferenceBackend());
  backend::SetKernelThreads(1);
  std::vector<size_t> fused;
  for (const Residual& residual : Residuals()) {
    const auto network = NetworkOf(DefinitionOf(residual.layers));
    const Shape shape{1, 3, 6, 8};
    const auto set =
        nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&shape, 1}, {});
    ASSERT_TRUE(set.ok()) << set.status();
    SharedParts shared;
    PlanDescription description;
    const auto plan = Plan::Build(*network, *set, {&shape, 1}, *onednn, shared, {}, &description);
    ASSERT_TRUE(plan.ok()) << plan.status();
    fused.push_back(static_cast<size_t>(std::count_if(
        description.steps.begin(), description.steps.end(),
        [](const auto& step) { return !step.fused.empty() && step.fused.back() == "add"; })));
  }
  EXPECT_EQ(fused, (std::vector<size_t>{1, 1, 1, 1, 1, 0, 0, 0, 0, 0}));
}

TEST(Plan, RunsDoublePrecisionOnTheReferenceBackend) {
  nn::NetworkDefinition definition = LazyMlp();
  definition.parameter_dtype = DType::kFp64;
  const auto network = NetworkOf(definition);
  const auto got =
      RunNetwork(*network, {Values64({1, 3}, {1, 2, 3})}, *backend::MakeReferenceBackend());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ((*got)[0].dtype(), DType::kFp64);
}

}  // namespace
}  // namespace lazynet::plan
