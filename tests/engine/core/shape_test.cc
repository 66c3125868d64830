#include "engine/core/shape.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace lazynet {
namespace {

TEST(Shape, CountsAxesFromBothEnds) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape.dim(0), 2);
  EXPECT_EQ(shape.dim(-1), 4);
  EXPECT_EQ(shape.num_elements(), 24);
}

TEST(Shape, AScalarHasOneElement) {
  EXPECT_EQ(Shape{}.num_elements(), 1);
  EXPECT_EQ(Shape{}.ToString(), "[]");
}

TEST(Shape, ShowsUnknownDims) {
  const Shape shape{10, kUnknownDim};
  EXPECT_TRUE(shape.has_unknown_dim());
  EXPECT_EQ(shape.ToString(), "[10, ?]");
}

TEST(CheckBounds, AcceptsWhatIsWithinTheLimits) {
  EXPECT_TRUE(CheckBounds(std::array<int64_t, 2>{0, kMaxDim}).ok());
  EXPECT_TRUE(CheckBounds({}).ok());
}

TEST(CheckBounds, RefusesWhatIsNot) {
  EXPECT_EQ(Message(CheckBounds(std::array<int64_t, 2>{2, -1})),
            "wants dims from 0 to 2147483647, got -1 in [2, -1]");
  EXPECT_FALSE(CheckBounds(std::array<int64_t, 1>{kMaxDim + 1}).ok());
  EXPECT_FALSE(CheckBounds(std::array<int64_t, 3>{kMaxDim, kMaxDim, kMaxDim}).ok());
  EXPECT_FALSE(CheckBounds(std::vector<int64_t>(kMaxRank + 1, 1)).ok());
}

TEST(CheckBounds, AZeroDimDoesNotHideHugeOnes) {
  EXPECT_FALSE(CheckBounds(std::array<int64_t, 3>{0, kMaxDim, kMaxDim}).ok());
}

}  // namespace
}  // namespace lazynet
