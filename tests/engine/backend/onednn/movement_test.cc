#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/engine/backend/onednn/harness.h"

namespace lazynet::testing {
namespace {

using backend::Concat;

// The elements of tensors of equal shapes but for `axis`, joined.
std::vector<double> Joined(const std::vector<Tensor>& tensors, int axis) {
  size_t outer = 1;
  for (int i = 0; i < axis; ++i) outer *= static_cast<size_t>(tensors[0].shape().dim(i));
  std::vector<double> result;
  for (size_t o = 0; o < outer; ++o) {
    for (const Tensor& tensor : tensors) {
      const auto values = tensor.values<float>();
      const size_t row = values.size() / outer;
      result.insert(result.end(), values.begin() + static_cast<ptrdiff_t>(o * row),
                    values.begin() + static_cast<ptrdiff_t>((o + 1) * row));
    }
  }
  return result;
}

TEST(OnednnConcat, JoinsEveryAxis) {
  for (const Shape& shape : {Shape{3}, Shape{2, 3}, Shape{2, 16, 5}, Shape{2, 16, 4, 4},
                             Shape{1, 5, 3, 3}, Shape{2, 3, 2, 3, 2}, Shape{2, 1, 2, 2, 1, 2}}) {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      std::vector<Tensor> tensors;
      std::vector<OpInput> inputs;
      Shape whole = shape;
      whole.set_dim(axis, 0);
      for (uint32_t i = 0; i < 3; ++i) {
        Shape part = shape;
        part.set_dim(axis, shape.dim(axis) * (1 + i % 2));
        whole.set_dim(axis, whole.dim(axis) + part.dim(axis));
        tensors.push_back(Noise(part, i));
        inputs.push_back(i == 2 ? Constant(tensors.back()) : Source(tensors.back()));
      }
      SCOPED_TRACE(fmt::format("{} axis {}", shape.ToString(), axis));
      ExpectInAllLayouts(Concat{axis}, inputs, whole, Joined(tensors, axis), 0);
    }
  }
}

TEST(OnednnConcat, TakesOneInput) {
  const Tensor src = Noise({2, 3, 4}, 1);
  ExpectInAllLayouts(Concat{1}, {Source(src)}, {2, 3, 4}, Joined({src}, 1), 0);
}

// Equal sizes, whose layouts may be taken for each other, and others; in every order.
TEST(OnednnPermute, ReadsEveryLayout) {
  for (const Shape& shape : {Shape{3}, Shape{4, 4}, Shape{2, 16, 5}, Shape{4, 4, 4},
                             Shape{2, 20, 3, 4}, Shape{1, 8, 8, 8}, Shape{2, 3, 1, 4, 5}}) {
    const Tensor src = Noise(shape, 1);
    const auto values = src.values<float>();
    backend::AxisVector order(static_cast<size_t>(shape.rank()));
    std::iota(order.begin(), order.end(), 0);
    do {
      Shape::Dims dims;
      Shape::Dims strides;
      for (const int64_t axis : order) {
        int64_t stride = 1;
        for (int i = static_cast<int>(axis) + 1; i < shape.rank(); ++i) stride *= shape.dim(i);
        dims.push_back(shape.dim(static_cast<int>(axis)));
        strides.push_back(stride);
      }
      std::vector<double> want;
      for (int64_t i = 0; i < shape.num_elements(); ++i) {
        int64_t rest = i;
        int64_t offset = 0;
        for (size_t axis = dims.size(); axis-- > 0; rest /= dims[axis]) {
          offset += rest % dims[axis] * strides[axis];
        }
        want.push_back(values[static_cast<size_t>(offset)]);
      }
      SCOPED_TRACE(fmt::format("{} to {}", shape.ToString(), Shape(dims).ToString()));
      ExpectInAllLayouts(backend::Permute{order}, {Source(src)}, Shape(dims), want, 0);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(OnednnReorder, GoesBetweenAllLayouts) {
  for (const Shape& shape : {Shape{2, 5, 7}, Shape{2, 16, 3, 3}, Shape{1, 19, 2, 3, 4}}) {
    const backend::Value value{DType::kFp32, shape, -1};
    const Tensor src = Noise(shape, 1);
    for (const Arrival first : kArrivals) {
      for (const Arrival second : kArrivals) {
        const backend::LayoutPtr layouts[] = {nullptr, LayoutOf(first, shape),
                                              LayoutOf(second, shape), nullptr};
        auto data = *Buffer::Allocate(src.bytes());
        std::copy_n(src.data(), src.bytes(), data.data());
        for (int step = 0; step < 3; ++step) {
          const auto reorder = Onednn().PrepareReorder(value, layouts[step], layouts[step + 1]);
          ASSERT_TRUE(reorder.ok()) << reorder.status();
          auto next = *Buffer::Allocate(backend::LayoutBytes(value, layouts[step + 1]));
          auto scratch = *Buffer::Allocate(reorder->scratch_bytes);
          const std::vector<const std::byte*> srcs{data.data()};
          ASSERT_TRUE(reorder->kernel->Run({srcs, next.data(), scratch.data()}).ok());
          data = std::move(next);
        }
        EXPECT_TRUE(std::equal(src.data(), src.data() + src.bytes(), data.data()))
            << Name(first) << " to " << Name(second);
      }
    }
  }
}

TEST(OnednnReorder, CopiesAnyTypeBetweenEqualLayouts) {
  const backend::Value value{DType::kInt64, {3}, -1};
  const auto copy = Onednn().PrepareReorder(value, nullptr, nullptr);
  ASSERT_TRUE(copy.ok()) << copy.status();
  const int64_t src[] = {1, -2, int64_t{1} << 60};
  int64_t dst[3] = {};
  const std::vector<const std::byte*> srcs{reinterpret_cast<const std::byte*>(src)};
  ASSERT_TRUE(copy->kernel->Run({srcs, reinterpret_cast<std::byte*>(dst), nullptr}).ok());
  EXPECT_TRUE(std::equal(src, src + 3, dst));
}

}  // namespace
}  // namespace lazynet::testing
