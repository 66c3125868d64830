#include "engine/plan/passes/lower_precision.h"

#include <algorithm>
#include <variant>

#include "tests/engine/plan/pass_test.h"

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::Op;
using backend::ValueId;

// Computes all but Prelu in BF16.
class LowBackend final : public testing::NoKernels {
 public:
  bool ComputesIn(DType dtype, const Graph&, const Op& op) const override {
    return dtype == DType::kBf16 && !std::holds_alternative<backend::Prelu>(op.kind);
  }
};

class LowerPrecisionTest : public testing::PassTest {
 protected:
  ValueId View(ValueId src) { return graph_.AddOp(backend::Reshape{}, {src}, kShape, "view"); }
  // What the backend has no BF16 kernel for.
  ValueId Prelu(ValueId src) {
    const ValueId slope = graph_.AddConstant(DType::kFp32, {1}, {.key = "slope", .make = nullptr});
    return graph_.AddOp(backend::Prelu{}, {src, slope}, kShape, "prelu");
  }

  // The ops that run, each with what it writes: "cast16 a16 relu16 cast32".
  std::string Lowered(std::vector<ValueId> outputs) {
    graph_.outputs = std::move(outputs);
    changed_ = LowerPrecision(graph_, LowBackend(), DType::kBf16);
    std::string text;
    for (const Op& op : graph_.ops) {
      if (!text.empty()) text += ' ';
      text += std::holds_alternative<backend::Cast>(op.kind) ? "cast" : op.layer;
      text += graph_.value(op.output).dtype == DType::kBf16 ? "16" : "32";
    }
    CheckDTypes();
    return text;
  }

  // Ops read what they are to compute in, constants and outputs are as before.
  void CheckDTypes() const {
    for (const Op& op : graph_.ops) {
      if (std::holds_alternative<backend::Cast>(op.kind)) continue;
      const DType wanted =
          backend::IsProduct(op.kind) && changed_ ? DType::kBf16 : graph_.value(op.output).dtype;
      for (const ValueId id : op.inputs) {
        if (id == backend::kNoValue) continue;
        const backend::Value& value = graph_.value(id);
        EXPECT_EQ(value.dtype, value.is_constant() ? DType::kFp32 : wanted) << op.layer;
      }
    }
    for (const ValueId id : graph_.outputs) EXPECT_EQ(graph_.value(id).dtype, DType::kFp32);
    for (const ValueId id : graph_.inputs) EXPECT_EQ(graph_.value(id).dtype, DType::kFp32);
  }

  bool changed_ = false;
};

TEST_F(LowerPrecisionTest, CastsTheInputAndLetsTheLastProductWriteFp32) {
  const ValueId output = Linear(Relu(Linear(input_, "a")), "b");
  EXPECT_EQ(Lowered({output}), "cast16 a16 relu16 b32");
  EXPECT_TRUE(changed_);
  EXPECT_EQ(graph_.outputs[0], output);
}

TEST_F(LowerPrecisionTest, WhatLiesBetweenAProductAndAnOutputStaysFp32) {
  EXPECT_EQ(Lowered({View(Relu(Linear(input_, "a")))}), "cast16 a32 relu32 view32");
}

TEST_F(LowerPrecisionTest, OpsThatFollowNoProductStayFp32) {
  EXPECT_EQ(Lowered({Linear(Relu(input_), "a")}), "relu32 cast16 a32");
}

TEST_F(LowerPrecisionTest, AResidualIsCastOnceAndTheSumStaysBf16) {
  const ValueId first = Sum(Linear(input_, "a"), input_);
  const ValueId second = Sum(Linear(first, "b"), first);
  EXPECT_EQ(Lowered({second}), "cast16 a16 sum16 b16 sum16 cast32");
}

TEST_F(LowerPrecisionTest, AnOutputThatOthersReadIsCastForTheOutput) {
  const ValueId a = Linear(input_, "a");
  EXPECT_EQ(Lowered({a, Linear(a, "b")}), "cast16 a16 b32 cast32");
}

TEST_F(LowerPrecisionTest, AnOpWithoutAKernelIsBetweenCasts) {
  const ValueId output = Linear(Prelu(Relu(Linear(input_, "a"))), "b");
  EXPECT_EQ(Lowered({output}), "cast16 a32 relu32 prelu32 cast16 b32");
}

TEST_F(LowerPrecisionTest, AValueReadInBothDTypesIsCastForTheFp32Reader) {
  const ValueId relu = Relu(Linear(input_, "a"));
  const ValueId b = Linear(relu, "b");
  const ValueId c = Linear(Prelu(relu), "c");
  EXPECT_EQ(Lowered({Sum(b, c)}), "cast16 a16 relu16 b32 cast32 prelu32 cast16 c32 sum32");
}

TEST_F(LowerPrecisionTest, AViewOfABf16ValueIsBf16) {
  EXPECT_EQ(Lowered({Linear(View(Linear(input_, "a")), "b")}), "cast16 a16 view16 b32");
}

TEST_F(LowerPrecisionTest, ViewsOfOneValueShareItsCast) {
  const ValueId a = Linear(View(input_), "a");
  const ValueId b = Linear(View(View(input_)), "b");
  EXPECT_EQ(Lowered({Sum(a, b)}), "cast16 view16 a32 view16 view16 b32 sum32");
}

TEST_F(LowerPrecisionTest, IntegersStayAsTheyAre) {
  const ValueId ids = graph_.AddInput(DType::kInt64, {2});
  const ValueId table = graph_.AddConstant(DType::kFp32, {9, 3}, {.key = "t", .make = nullptr});
  const ValueId rows =
      graph_.AddOp(backend::Gather{}, {ids, table}, kShape, "embedding", DType::kFp32);
  graph_.outputs = {Linear(rows, "a")};
  EXPECT_TRUE(LowerPrecision(graph_, LowBackend(), DType::kBf16));
  ASSERT_EQ(graph_.ops.size(), 3u);
  EXPECT_EQ(graph_.value(ids).dtype, DType::kInt64);
  EXPECT_EQ(graph_.value(rows).dtype, DType::kFp32);
  EXPECT_TRUE(std::holds_alternative<backend::Cast>(graph_.ops[1].kind));
}

TEST_F(LowerPrecisionTest, ANetworkWithoutProductsIsLeftAlone) {
  EXPECT_EQ(Lowered({Relu(input_)}), "relu32");
  EXPECT_FALSE(changed_);
}

}  // namespace
}  // namespace lazynet::plan
