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

// dst[i] = src[from(i)] for every index i of dst, or `outside` where that is no index of src.
template <typename From>
std::vector<double> Moved(const Tensor& src, const Shape& dst, double outside, From from) {
  const auto values = src.values<float>();
  std::vector<double> result;
  std::vector<int64_t> index(static_cast<size_t>(dst.rank()));
  for (int64_t element = 0; element < dst.num_elements(); ++element) {
    int64_t rest = element;
    for (size_t axis = index.size(); axis-- > 0; rest /= dst.dim(static_cast<int>(axis))) {
      index[axis] = rest % dst.dim(static_cast<int>(axis));
    }
    const std::vector<int64_t> at = from(index);
    int64_t place = 0;
    bool inside = true;
    for (size_t axis = 0; axis < at.size(); ++axis) {
      const int64_t size = src.shape().dim(static_cast<int>(axis));
      inside = inside && at[axis] >= 0 && at[axis] < size;
      place = place * size + at[axis];
    }
    result.push_back(inside ? values[static_cast<size_t>(place)] : outside);
  }
  return result;
}

constexpr Arrival kNotDense[] = {Arrival::kChannelsLast, Arrival::kBlocked8, Arrival::kBlocked16};

// Dense values are left to the fallback, which copies them as fast.
void ExpectMoved(const backend::OpKind& kind, const Tensor& src, const Shape& dst,
                 const std::vector<double>& want) {
  for (const Arrival arrival : kNotDense) {
    const auto result = RunArrived(kind, {Source(src)}, dst, arrival);
    // Of one channel, or one pixel, they are dense too.
    if (result.status().code() == absl::StatusCode::kUnimplemented) continue;
    ASSERT_TRUE(result.ok()) << result.status();
    SCOPED_TRACE(Name(arrival));
    ExpectNear(result->dst.values<float>(), want, 0, 0);
  }
}

TEST(OnednnSlice, KeepsEveryLayout) {
  struct Case {
    Shape src;
    Shape dst;
    backend::AxisVector begin;
    backend::AxisVector step;
  };
  const Case cases[] = {
      {{2, 16, 5}, {2, 16, 3}, {0, 0, 1}, {}},
      {{2, 32, 4, 3}, {2, 16, 4, 3}, {0, 16, 0, 0}, {}},
      {{2, 32, 4, 3}, {1, 8, 2, 3}, {1, 8, 1, 0}, {}},
      {{2, 32, 4, 3}, {2, 5, 4, 3}, {0, 3, 0, 0}, {}},
      {{2, 16, 4, 3}, {2, 8, 4, 3}, {0, 8, 0, 0}, {}},
      {{2, 19, 4, 3}, {2, 16, 4, 3}, {0, 0, 0, 0}, {}},
      {{2, 19, 4, 3}, {2, 19, 2, 2}, {0, 0, 1, 1}, {1, 1, 2, 1}},
      {{2, 6, 5, 5}, {2, 6, 5, 3}, {1, 5, 4, 4}, {-1, -1, -1, -2}},
      {{1, 8, 3, 4, 5}, {1, 8, 2, 2, 5}, {0, 0, 0, 3, 0}, {1, 1, 2, -3, 1}},
      {{3, 1, 4, 4}, {2, 1, 4, 2}, {0, 0, 0, 1}, {2, 1, 1, 2}},
  };
  for (const Case& one : cases) {
    const Tensor src = Noise(one.src, 1);
    SCOPED_TRACE(fmt::format("{} to {}", one.src.ToString(), one.dst.ToString()));
    const auto want = Moved(src, one.dst, 0, [&](std::vector<int64_t> index) {
      for (size_t axis = 0; axis < index.size(); ++axis) {
        index[axis] = one.begin[axis] + index[axis] * (one.step.empty() ? 1 : one.step[axis]);
      }
      return index;
    });
    ExpectMoved(backend::Slice{one.begin, one.step}, src, one.dst, want);
  }
}

TEST(OnednnPad, KeepsEveryLayout) {
  using Mode = backend::Pad::Mode;
  struct Case {
    Shape src;
    backend::AxisVector before;
    backend::AxisVector after;
  };
  const Case cases[] = {
      {{2, 16, 5}, {0, 0, 1}, {0, 0, 2}},
      {{2, 16, 4, 3}, {0, 0, 1, 2}, {0, 0, 0, 1}},
      {{2, 16, 4, 3}, {0, 3, 0, 0}, {0, 0, 0, 1}},
      {{2, 19, 4, 3}, {0, 0, 1, 2}, {1, 0, 1, 1}},
      {{2, 19, 4, 3}, {0, 1, 1, 2}, {1, 2, 1, 1}},
      {{2, 8, 4, 3}, {0, 8, 0, 0}, {0, 0, 0, 0}},
      {{2, 1, 4, 3}, {0, 1, 1, 0}, {0, 2, 0, 1}},
      {{2, 1, 4, 3}, {0, 0, 1, 2}, {0, 0, 0, 1}},
      {{1, 5, 2, 3, 4}, {0, 0, 1, 1, 2}, {0, 0, 1, 2, 0}},
  };
  for (const Case& one : cases) {
    const Tensor src = Noise(one.src, 1);
    Shape dst = one.src;
    for (int axis = 0; axis < dst.rank(); ++axis) {
      const auto at = static_cast<size_t>(axis);
      dst.set_dim(axis, dst.dim(axis) + one.before[at] + one.after[at]);
    }
    for (const double value : {0.0, 2.5}) {
      SCOPED_TRACE(fmt::format("{} to {} with {}", one.src.ToString(), dst.ToString(), value));
      const auto want = Moved(src, dst, value, [&](std::vector<int64_t> index) {
        for (size_t axis = 0; axis < index.size(); ++axis) index[axis] -= one.before[axis];
        return index;
      });
      ExpectMoved(backend::Pad{Mode::kConstant, one.before, one.after, value}, src, dst, want);
    }
    SCOPED_TRACE(fmt::format("{} replicated to {}", one.src.ToString(), dst.ToString()));
    const auto want = Moved(src, dst, 0, [&](std::vector<int64_t> index) {
      for (size_t axis = 0; axis < index.size(); ++axis) {
        const int64_t size = one.src.dim(static_cast<int>(axis));
        index[axis] = std::clamp<int64_t>(index[axis] - one.before[axis], 0, size - 1);
      }
      return index;
    });
    ExpectMoved(backend::Pad{Mode::kReplicate, one.before, one.after}, src, dst, want);
  }
}

// What the goldens of dense values hold to, in the other layouts.
void ExpectAsDense(const backend::OpKind& kind, const Tensor& src, const Shape& dst, double error) {
  const auto dense = RunArrived(kind, {Source(src)}, dst, Arrival::kDense);
  ASSERT_TRUE(dense.ok()) << dense.status();
  const auto values = dense->dst.values<float>();
  ExpectInAllLayouts(kind, {Source(src)}, dst, {values.begin(), values.end()}, error, error);
}

TEST(OnednnResampling, KeepsEveryLayout) {
  using Mode = backend::Resampling::Mode;
  const Mode modes[] = {Mode::kNearest, Mode::kNearestExact,      Mode::kLinear,
                        Mode::kCubic,   Mode::kAntialiasedLinear, Mode::kAntialiasedCubic};
  for (const Shape& shape : {Shape{2, 3, 5}, Shape{2, 16, 4, 5}, Shape{1, 19, 7, 3},
                             Shape{1, 1, 4, 4}, Shape{1, 9, 2, 3, 4}}) {
    const Tensor src = Noise(shape, 1);
    for (const Mode mode : modes) {
      for (const double factor : {2.0, 0.6, 1.7}) {
        Shape dst = shape;
        std::vector<double> scales;
        for (int axis = 2; axis < shape.rank(); ++axis) {
          const auto size = static_cast<double>(shape.dim(axis)) * factor;
          dst.set_dim(axis, std::max<int64_t>(static_cast<int64_t>(size), 1));
          scales.push_back(1 / factor);
        }
        SCOPED_TRACE(
            fmt::format("{} mode {} by {}", shape.ToString(), static_cast<int>(mode), factor));
        ExpectAsDense(backend::Resampling{mode, false, scales}, src, dst, 1e-6);
      }
    }
  }
}

TEST(OnednnAdaptiveMaxPooling, KeepsEveryLayout) {
  ExpectAsDense(backend::AdaptiveMaxPooling{}, Noise({2, 19, 7}, 1), {2, 19, 3}, 0);
  ExpectAsDense(backend::AdaptiveMaxPooling{}, Noise({2, 16, 7, 5}, 1), {2, 16, 3, 8}, 0);
  ExpectAsDense(backend::AdaptiveMaxPooling{}, Noise({1, 5, 3, 4, 5}, 1), {1, 5, 2, 4, 3}, 0);
}

TEST(OnednnLocalResponseNormalization, KeepsEveryLayout) {
  for (const Shape& shape :
       {Shape{2, 7, 3}, Shape{2, 19, 3, 4}, Shape{1, 16, 5, 5}, Shape{1, 5, 2, 3, 4}}) {
    ExpectAsDense(backend::LocalResponseNormalization{3, 0.5, 0.75, 2}, Noise(shape, 1), shape,
                  1e-6);
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
