#include "engine/plan/grouping.h"

#include <gtest/gtest.h>

namespace lazynet::plan {
namespace {

// Two layers in a row, of so many floats for one item.
backend::Graph TwoLayers(int64_t floats) {
  backend::Graph graph;
  const Shape shape{1, floats};
  const auto input = graph.AddInput(DType::kFp32, shape);
  const auto first = graph.AddOp(backend::Eltwise{}, {input}, shape, "first");
  const auto second = graph.AddOp(backend::Eltwise{}, {first}, shape, "second");
  graph.outputs = {second};
  return graph;
}

TEST(Grouping, RunsSmallItemsTogether) {
  EXPECT_EQ(GroupSize(TwoLayers(1000), 32, 1), 32);
  EXPECT_EQ(GroupSize(TwoLayers(1000), 7, 1), 7);
}

TEST(Grouping, RunsLargeItemsOneByOne) {
  EXPECT_EQ(GroupSize(TwoLayers(int64_t{16} << 20), 32, 1), 1);
}

TEST(Grouping, TakesWhatFitsAndDividesTheBatch) {
  // 2 MB an item: some fit.
  const backend::Graph graph = TwoLayers(int64_t{1} << 18);
  const int64_t fitting = GroupSize(graph, int64_t{1} << 20, 1);
  EXPECT_GT(fitting, 1);
  EXPECT_LT(fitting, 32);
  EXPECT_EQ(GroupSize(graph, fitting * 3, 1), fitting);
  EXPECT_EQ(GroupSize(graph, 31, 1), 1);
}

TEST(Grouping, GivesEachThreadItems) {
  EXPECT_EQ(GroupSize(TwoLayers(1000), 32, 2), 16);
  EXPECT_EQ(GroupSize(TwoLayers(1000), 9, 2), 3);
  // Too few to share: kernels use the threads instead.
  EXPECT_EQ(GroupSize(TwoLayers(1000), 3, 4), 3);
}

}  // namespace
}  // namespace lazynet::plan
