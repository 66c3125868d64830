#include "engine/plan/grouping.h"

#include <gtest/gtest.h>

#include <set>

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

TEST(Grouping, TakesWhatFits) {
  // 2 MB an item: some fit.
  const backend::Graph graph = TwoLayers(int64_t{1} << 18);
  const int64_t fitting = GroupSize(graph, int64_t{1} << 20, 1);
  EXPECT_GT(fitting, 1);
  EXPECT_LT(fitting, 32);
  EXPECT_EQ(GroupSize(graph, fitting * 3, 1), fitting);
}

TEST(Grouping, GivesEachThreadItems) {
  EXPECT_EQ(GroupSize(TwoLayers(1000), 32, 2), 16);
  EXPECT_EQ(GroupSize(TwoLayers(1000), 9, 2), 4);
  // Too few to share: kernels use the threads instead.
  EXPECT_EQ(GroupSize(TwoLayers(1000), 3, 4), 3);
}

using Batch = std::vector<Groups>;

TEST(SplitBatch, OneSizeServesWhatItDivides) {
  EXPECT_EQ(SplitBatch(8, 1, 0), (Batch{{1, 8, 0}}));
  EXPECT_EQ(SplitBatch(8, 3, 0), (Batch{{2, 4, 0}}));
  EXPECT_EQ(SplitBatch(8, 8, 100), (Batch{{8, 1, 0}}));
  EXPECT_EQ(SplitBatch(8, 100, 100), (Batch{{8, 1, 0}}));
  EXPECT_EQ(SplitBatch(15, 15, 0), (Batch{{15, 1, 0}}));
  EXPECT_EQ(SplitBatch(30, 16, 0), (Batch{{15, 2, 0}}));
}

TEST(SplitBatch, SmallerGroupsTakeTheRest) {
  EXPECT_EQ(SplitBatch(11, 4, 0), (Batch{{4, 2, 0}, {3, 1, 0}}));
  EXPECT_EQ(SplitBatch(33, 33, 0), (Batch{{32, 1, 0}, {1, 1, 0}}));
  // 1000 is 15 x 64, 40.
  EXPECT_EQ(SplitBatch(1000, 1000, 0), (Batch{{960, 1, 0}, {40, 1, 0}}));
  EXPECT_EQ(SplitBatch(1000, 500, 0), (Batch{{500 / 32 * 32, 2, 0}, {40, 1, 0}}));
}

TEST(SplitBatch, AnotherRunThatTakesLongerIsSaved) {
  EXPECT_EQ(SplitBatch(33, 33, 3), (Batch{{36, 1, 3}}));
  EXPECT_EQ(SplitBatch(33, 33, 2.9), (Batch{{32, 1, 0}, {1, 1, 0}}));
  EXPECT_EQ(SplitBatch(1000, 1000, 24), (Batch{{1024, 1, 24}}));
  EXPECT_EQ(SplitBatch(17, 100, 1), (Batch{{18, 1, 1}}));
  // Only the last group is filled up.
  EXPECT_EQ(SplitBatch(50, 16, 8), (Batch{{16, 3, 0}, {2, 1, 0}}));
}

TEST(SplitBatch, CoversEveryBatchWithFewSizes) {
  std::set<int64_t> sizes;
  for (int64_t items = 1; items <= 4096; ++items) {
    for (const double overhead : {0.0, 5.0, 1000.0}) {
      int64_t covered = 0;
      for (const Groups& groups : SplitBatch(items, items, overhead)) {
        sizes.insert(groups.size);
        covered += groups.size * groups.count - groups.missing;
        EXPECT_TRUE(groups.missing == 0 || groups.count == 1);
        EXPECT_LT(groups.missing, groups.size);
      }
      EXPECT_EQ(covered, items) << overhead;
    }
  }
  EXPECT_LE(sizes.size(), 80u);
}

}  // namespace
}  // namespace lazynet::plan
