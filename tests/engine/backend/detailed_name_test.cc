#include "engine/backend/detailed_name.h"

#include <gtest/gtest.h>

#include <set>

namespace lazynet::backend {
namespace {

// The names of all algorithms up to the last one.
template <typename Op>
std::set<std::string_view> NamesUpTo(typename Op::Algorithm last) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    Op op;
    op.algorithm = static_cast<typename Op::Algorithm>(i);
    names.insert(DetailedName(op));
  }
  return names;
}

TEST(DetailedName, TellsAlgorithmsApart) {
  EXPECT_EQ(NamesUpTo<Eltwise>(Eltwise::Algorithm::kErf).size(), 41u);
  EXPECT_EQ(NamesUpTo<Binary>(Binary::Algorithm::kXor).size(), 19u);
  EXPECT_EQ(NamesUpTo<Reduction>(Reduction::Algorithm::kLogSumExp).size(), 8u);
}

TEST(DetailedName, IsWhatUsersCallIt) {
  EXPECT_EQ(DetailedName(Eltwise{.algorithm = Eltwise::Algorithm::kGeluErf}), "gelu_erf");
  EXPECT_EQ(DetailedName(Binary{.algorithm = Binary::Algorithm::kMax}), "max");
  EXPECT_EQ(DetailedName(Reduction{.algorithm = Reduction::Algorithm::kMax}), "reduce_max");
  Pooling pooling;
  pooling.kind = Pooling::Kind::kAverage;
  EXPECT_EQ(DetailedName(pooling), "average_pooling");
  EXPECT_EQ(DetailedName(Recurrent{.cell = Recurrent::Cell::kGru}), "gru");
  EXPECT_EQ(DetailedName(ArgReduction{.algorithm = ArgReduction::Algorithm::kMin}), "argmin");
  EXPECT_EQ(DetailedName(Convolution{}), "convolution");
}

}  // namespace
}  // namespace lazynet::backend
