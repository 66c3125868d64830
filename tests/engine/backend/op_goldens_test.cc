#include "tests/engine/backend/op_goldens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

constexpr const char* kOps[] = {"inner_product",
                                "matmul",
                                "convolution",
                                "deconvolution",
                                "pooling",
                                "adaptive_pooling",
                                "normalization",
                                "layer_normalization",
                                "softmax",
                                "eltwise",
                                "prelu",
                                "binary",
                                "concat",
                                "pad",
                                "permute",
                                "slice",
                                "recurrent",
                                "expand",
                                "triangle",
                                "resampling",
                                "adaptive_max_pooling",
                                "lrn",
                                "unfold",
                                "fold",
                                "reduction",
                                "cumsum",
                                "topk"};

class OpGoldensTest : public ::testing::TestWithParam<std::tuple<BackendCase, const char*>> {};

TEST_P(OpGoldensTest, GivesTorchsResults) {
  const auto& [backend_case, op] = GetParam();
  const auto backend = backend_case.make();
  const std::vector<OpGolden> goldens = ReadOpGoldens(op);
  ASSERT_FALSE(goldens.empty());
  for (const OpGolden& golden : goldens) {
    if (KnownReason(backend_case, golden.name)) continue;
    SCOPED_TRACE(golden.name);
    ExpectOp(*backend, golden.kind, golden.inputs, golden.output_shape, golden.expected,
             golden.exact ? Compare::kEqual : Compare::kClose);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, OpGoldensTest,
                         ::testing::Combine(::testing::ValuesIn(Backends()),
                                            ::testing::ValuesIn(kOps)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" + std::get<1>(test.param);
                         });

TEST(OpGoldens, AreOfTheOpsTested) {
  const std::vector<OpGolden> goldens = ReadOpGoldens("");
  EXPECT_GE(goldens.size(), 400u);
  for (const OpGolden& golden : goldens) {
    const std::string op = golden.name.substr(0, golden.name.find('/'));
    EXPECT_NE(std::find(std::begin(kOps), std::end(kOps), op), std::end(kOps)) << golden.name;
  }
}

TEST(OpGoldens, KnownDifferencesNameACaseAndAReason) {
  const std::vector<OpGolden> goldens = ReadOpGoldens("");
  for (const BackendCase& backend : Backends()) {
    for (const KnownDifference& known : backend.known_differences) {
      EXPECT_FALSE(known.reason.empty()) << known.test;
      if (known.test.find('/') == std::string::npos) continue;
      EXPECT_TRUE(std::any_of(goldens.begin(), goldens.end(),
                              [&](const OpGolden& golden) { return golden.name == known.test; }))
          << backend.name << " is excused from " << known.test << ", which does not exist";
    }
  }
}

}  // namespace
}  // namespace lazynet::backend
