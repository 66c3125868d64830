#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/engine/backend/onednn/harness.h"
#include "tests/engine/backend/onednn/oracle.h"

namespace lazynet::testing {
namespace {

using backend::MatMul;

struct MatMulCase {
  MatMul op;
  Shape src0, src1, dst;
};

MatMulCase RandomMatMul(std::mt19937& generator) {
  const auto in = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(generator() % static_cast<uint32_t>(high - low + 1));
  };
  MatMulCase result;
  Shape::Dims src0;
  Shape::Dims src1;
  Shape::Dims dst;
  for (int64_t axes = in(0, 3); axes > 0; --axes) {
    const int64_t size = in(1, 4);
    const int64_t stretched = in(0, 3);  // 0: src0, 1: src1, others: none
    src0.push_back(stretched == 0 ? 1 : size);
    src1.push_back(stretched == 1 ? 1 : size);
    dst.push_back(size);
  }
  const int64_t m = in(0, 1) == 0 ? in(1, 4) : in(1, 40);
  const int64_t n = in(0, 2) == 0 ? m : in(1, 70);
  const int64_t k = in(0, 2) == 0 ? n : in(1, 70);
  result.op.transpose_b = in(0, 1) == 0;
  if (in(0, 1) == 0) result.op.alpha = 0.125 * static_cast<double>(in(1, 9));
  src0.insert(src0.end(), {m, k});
  src1.insert(src1.end(), {k, n});
  if (result.op.transpose_b) std::swap(src1[src1.size() - 2], src1.back());
  dst.insert(dst.end(), {m, n});
  result.src0 = Shape(src0);
  result.src1 = Shape(src1);
  result.dst = Shape(dst);
  return result;
}

TEST(OnednnMatMul, AgreesWithLoopsOnRandomShapes) {
  std::mt19937 generator(7);
  for (int i = 0; i < 150; ++i) {
    const MatMulCase item = RandomMatMul(generator);
    const Tensor src0 = Noise(item.src0, 1);
    const Tensor src1 = Noise(item.src1, 2);
    const std::vector<double> want = MatMulOf(item.op, src0, src1, item.dst);
    for (const bool constant0 : {false, true}) {
      for (const bool constant1 : {false, true}) {
        SCOPED_TRACE(fmt::format("{} constant {} by {} constant {}, transposed {} alpha {}",
                                 item.src0.ToString(), constant0, item.src1.ToString(), constant1,
                                 item.op.transpose_b, item.op.alpha));
        // Sums of up to 70 products, each below 1.
        ExpectInAllLayouts(item.op, {{src0, constant0}, {src1, constant1}}, item.dst, want, 2e-5);
      }
    }
  }
}

TEST(OnednnMatMul, KeepsNanAndInfinityInTheirRow) {
  for (const bool transposed : {false, true}) {
    const MatMul op{transposed, 0.5};
    const Shape src1_shape = transposed ? Shape{2, 19, 37} : Shape{2, 37, 19};
    const Tensor src1 = Noise(src1_shape, 2);
    for (const float special : {NAN, INFINITY, -INFINITY}) {
      for (size_t at = 0; at < 37; ++at) {
        Tensor src0 = Noise({2, 3, 37}, 1);
        src0.mutable_view().values<float>()[37 + at] = special;
        const std::vector<double> want = MatMulOf(op, src0, src1, {2, 3, 19});
        for (const bool constant : {false, true}) {
          ExpectInAllLayouts(op, {Source(src0), {src1, constant}}, {2, 3, 19}, want, 2e-5);
        }
      }
    }
  }
}

TEST(OnednnMatMul, HasFastKernels) {
  const auto implementation = [](const OpInput& src1, bool transposed) {
    const auto result =
        RunArrived(MatMul{transposed, 0.125}, {Source(Noise({2, 4, 64, 32}, 1)), src1},
                   {2, 4, 64, 64}, Arrival::kDense);
    return result.ok() ? result->implementation : std::string(Message(result.status()));
  };
  for (const bool transposed : {false, true}) {
    const Tensor src1 = Noise(transposed ? Shape{2, 4, 64, 32} : Shape{2, 4, 32, 64}, 2);
    for (const OpInput& input : {Source(src1), Constant(src1)}) {
      EXPECT_THAT(implementation(input, transposed), ::testing::Not(::testing::StartsWith("ref")));
    }
  }
}

}  // namespace
}  // namespace lazynet::testing
