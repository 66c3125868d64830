#include "engine/core/tensor.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

namespace lazynet {
namespace {

TEST(Tensor, CopiesShareTheElements) {
  auto tensor = Tensor::Allocate(DType::kFp32, Shape{2, 2});
  ASSERT_TRUE(tensor.ok());
  auto values = tensor->mutable_view().values<float>();
  std::fill(values.begin(), values.end(), 3.0f);
  const Tensor copy = *tensor;
  EXPECT_EQ(copy.data(), tensor->data());
  EXPECT_EQ(copy.values<float>()[3], 3.0f);
  EXPECT_EQ(copy.bytes(), 16u);
}

TEST(Tensor, KeepsTheOwnerOfWrappedElementsAlive) {
  auto owner = std::make_shared<std::vector<int64_t>>(1, 42);
  const auto* data = reinterpret_cast<const std::byte*>(owner->data());
  const Tensor tensor = Tensor::Wrap(DType::kInt64, Shape{}, owner, data);
  owner.reset();
  EXPECT_EQ(tensor.values<int64_t>()[0], 42);
}

TEST(Tensor, APartSharesTheElementsAndKeepsThemAlive) {
  Tensor tensor = *Tensor::Allocate(DType::kInt32, Shape{2, 3});
  std::iota(tensor.mutable_view().values<int32_t>().begin(),
            tensor.mutable_view().values<int32_t>().end(), 0);
  const Tensor whole = tensor.Part(Shape{6});
  const Tensor row = tensor.Part(Shape{1, 3}, 3 * sizeof(int32_t));
  EXPECT_EQ(whole.data(), tensor.data());
  tensor = Tensor();
  EXPECT_EQ(whole.values<int32_t>()[5], 5);
  EXPECT_EQ(row.shape(), Shape({1, 3}));
  EXPECT_EQ(row.values<int32_t>()[0], 3);
  EXPECT_DEATH(static_cast<void>(row.Part(Shape{3}, 1)), "");
}

TEST(Tensor, KeepsPagesThatNoFileHolds) {
  Tensor tensor = *Tensor::Allocate(DType::kFp32, Shape{4096});
  std::ranges::fill(tensor.mutable_view().values<float>(), 3.0f);
  tensor.ReleasePages();
  for (const float value : tensor.values<float>()) ASSERT_EQ(value, 3.0f);
}

}  // namespace
}  // namespace lazynet
