#include "service/handlers/infer_outputs.h"

#include <gtest/gtest.h>

#include <numeric>

namespace lazynet::handlers {
namespace {

TEST(InferOutputs, SlicesOfABatchLieInIt) {
  Tensor rows = *Tensor::Allocate(DType::kFp32, {4, 3});
  Tensor pairs = *Tensor::Allocate(DType::kInt64, {8});  // two for each item
  const auto floats = rows.mutable_view().values<float>();
  std::iota(floats.begin(), floats.end(), 0.0f);
  const auto numbers = pairs.mutable_view().values<int64_t>();
  std::iota(numbers.begin(), numbers.end(), int64_t{0});
  const std::vector<Tensor> outputs{rows, pairs};
  const std::vector<Tensor> slices = SliceItems(outputs, 4, {.first = 1, .count = 2});
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(slices[0].data(), rows.data() + 12);
  EXPECT_EQ(slices[0].values<float>()[5], 8.0f);
  EXPECT_EQ(slices[1].shape(), Shape{4});
  EXPECT_EQ(slices[1].values<int64_t>()[0], 2);
}

}  // namespace
}  // namespace lazynet::handlers
