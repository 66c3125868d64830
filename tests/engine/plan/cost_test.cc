#include "engine/plan/cost.h"

#include <gtest/gtest.h>

namespace lazynet::plan {
namespace {

TEST(Cost, IsTheLongerOneOfComputingAndMoving) {
  backend::Graph graph;
  const auto src = graph.AddInput(DType::kFp32, {64, 1000});
  const auto weights =
      graph.AddConstant(DType::kFp32, {1000, 1000}, {.key = "weights", .make = nullptr});
  const auto product =
      graph.AddOp(backend::InnerProduct{}, {src, weights, backend::kNoValue}, {64, 1000}, "fc");
  const auto relu = graph.AddOp(backend::Eltwise{}, {product}, {64, 1000}, "relu");
  graph.AddOp(backend::Reshape{}, {relu}, {64000}, "flat");
  // 128 MFLOP; 512 KB of two values.
  EXPECT_NEAR(EstimatedMicroseconds(graph, graph.ops[0]), 128e6 / 150e3, 1);
  EXPECT_NEAR(EstimatedMicroseconds(graph, graph.ops[1]), 512e3 / 20e3, 1e-3);
  EXPECT_EQ(EstimatedMicroseconds(graph, graph.ops[2]), 0);
  EXPECT_NEAR(EstimatedMicroseconds(graph), 128e6 / 150e3 + 512e3 / 20e3, 1);
}

TEST(Cost, OfOneItemIsThatOfReadingTheWeights) {
  backend::Graph graph;
  const auto src = graph.AddInput(DType::kFp32, {1, 1000});
  const auto weights =
      graph.AddConstant(DType::kFp32, {1000, 1000}, {.key = "weights", .make = nullptr});
  graph.AddOp(backend::InnerProduct{}, {src, weights, backend::kNoValue}, {1, 1000}, "fc");
  EXPECT_NEAR(EstimatedMicroseconds(graph), 4e6 / 20e3, 1);
}

}  // namespace
}  // namespace lazynet::plan
