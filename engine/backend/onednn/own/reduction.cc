#include "engine/backend/onednn/own/reduction.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

// What is accumulated in, from what, how, and what becomes of it.
struct Sum {
  using Accumulator = double;
  static constexpr double kInitial = 0;
  static inline double Add(double sum, float x) { return sum + double{x}; }
  static inline double Join(double a, double b) { return a + b; }
  static inline float Finish(double sum, int64_t) { return static_cast<float>(sum); }
};
struct Mean : Sum {
  static inline float Finish(double sum, int64_t count) {
    return static_cast<float>(sum / static_cast<double>(count));
  }
};
struct Magnitudes : Sum {
  static inline double Add(double sum, float x) { return sum + double{std::abs(x)}; }
};
struct Length : Sum {
  static inline double Add(double sum, float x) { return sum + double{x} * double{x}; }
  static inline float Finish(double sum, int64_t) { return static_cast<float>(std::sqrt(sum)); }
};
struct Largest {
  using Accumulator = float;
  static constexpr float kInitial = -std::numeric_limits<float>::infinity();
  static inline float Add(float best, float x) { return x > best || x != x ? x : best; }
  static inline float Join(float a, float b) { return Add(a, b); }
  static inline float Finish(float best, int64_t) { return best; }
};
struct Least : Largest {
  static constexpr float kInitial = std::numeric_limits<float>::infinity();
  static inline float Add(float best, float x) { return x < best || x != x ? x : best; }
  static inline float Join(float a, float b) { return Add(a, b); }
};

// So many accumulators do not wait for each other, and stay in registers and the nearest cache.
constexpr int64_t kLanes = 32;

// Neighbouring elements become one.
template <typename Operation, typename T>
[[gnu::always_inline]] inline float ReduceRow(const T* src, int64_t size) {
  typename Operation::Accumulator lanes[kLanes];
  std::fill_n(lanes, kLanes, Operation::kInitial);
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = Operation::Add(lanes[lane], Widen(src[i + lane]));
    }
  }
  for (int64_t lane = 0; i < size; ++i, ++lane) {
    lanes[lane] = Operation::Add(lanes[lane], Widen(src[i]));
  }
  for (int64_t lane = 1; lane < kLanes; ++lane) {
    lanes[0] = Operation::Join(lanes[0], lanes[lane]);
  }
  return Operation::Finish(lanes[0], size);
}

// Elements `pitch` apart become one, in `count` <= kLanes neighbouring columns.
template <typename Operation, typename T>
[[gnu::always_inline]] inline void ReduceColumns(const T* src, int64_t size, int64_t pitch,
                                                 int64_t count, T* dst) {
  typename Operation::Accumulator lanes[kLanes];
  std::fill_n(lanes, kLanes, Operation::kInitial);
  for (int64_t i = 0; i < size; ++i, src += pitch) {
    if (count == kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        lanes[lane] = Operation::Add(lanes[lane], Widen(src[lane]));
      }
    } else {
      for (int64_t lane = 0; lane < count; ++lane) {
        lanes[lane] = Operation::Add(lanes[lane], Widen(src[lane]));
      }
    }
  }
  for (int64_t lane = 0; lane < count; ++lane) {
    dst[lane] = Narrow<T>(Operation::Finish(lanes[lane], size));
  }
}

template <typename Operation, typename T>
[[gnu::always_inline]] inline void ReduceAll(const ReductionShape& shape, const T* src, T* dst) {
  for (int64_t i = 0; i < shape.outer; ++i, src += shape.size * shape.inner, dst += shape.inner) {
    if (shape.inner == 1) {
      *dst = Narrow<T>(ReduceRow<Operation>(src, shape.size));
      continue;
    }
    for (int64_t j = 0; j < shape.inner; j += kLanes) {
      ReduceColumns<Operation>(src + j, shape.size, shape.inner, std::min(kLanes, shape.inner - j),
                               dst + j);
    }
  }
}

// The loops wait for memory: wider vectors than AVX2's bring nothing.
template <typename Operation, typename T>
void Reduce(const ReductionShape& shape, const T* src, T* dst) {
  ReduceAll<Operation>(shape, src, dst);
}

template <typename Operation, typename T>
LAZYNET_AVX2 void ReduceAvx2(const ReductionShape& shape, const T* src, T* dst) {
  ReduceAll<Operation>(shape, src, dst);
}

template <typename T, typename Operation>
ReductionFunction<T> Select(Isa isa) {
  return isa == Isa::kSse2 ? Reduce<Operation, T> : ReduceAvx2<Operation, T>;
}

}  // namespace

template <typename T>
ReductionFunction<T> SelectReduction(const Reduction& op, Isa isa) {
  switch (op.algorithm) {
    case Reduction::Algorithm::kSum:
      return Select<T, Sum>(isa);
    case Reduction::Algorithm::kMean:
      return Select<T, Mean>(isa);
    case Reduction::Algorithm::kMax:
      return Select<T, Largest>(isa);
    case Reduction::Algorithm::kMin:
      return Select<T, Least>(isa);
    case Reduction::Algorithm::kNorm:
      if (op.p == 1) return Select<T, Magnitudes>(isa);
      return op.p == 2 ? Select<T, Length>(isa) : nullptr;
    default:
      return nullptr;
  }
}

template ReductionFunction<float> SelectReduction(const Reduction& op, Isa isa);
template ReductionFunction<Bf16> SelectReduction(const Reduction& op, Isa isa);

}  // namespace lazynet::backend::own
