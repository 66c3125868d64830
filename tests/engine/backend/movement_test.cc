#include <algorithm>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

TEST_P(OpTest, ConcatOnTheFirstAxis) {
  Expect(Concat{0}, {Source(Count({1, 2})), Source(Count({2, 2}, 10))}, {3, 2},
         {0, 1, 10, 11, 12, 13}, Compare::kEqual);
}

TEST_P(OpTest, ConcatOnChannels) {
  Expect(Concat{1},
         {Source(Count({2, 1, 2})), Source(Count({2, 2, 2}, 10)), Source(Count({2, 1, 2}, 20))},
         {2, 4, 2}, {0, 1, 10, 11, 12, 13, 20, 21, 2, 3, 14, 15, 16, 17, 22, 23}, Compare::kEqual);
}

TEST_P(OpTest, ConcatOnTheLastAxis) {
  Expect(Concat{3}, {Source(Count({1, 1, 2, 1})), Source(Count({1, 1, 2, 2}, 10))}, {1, 1, 2, 3},
         {0, 10, 11, 1, 12, 13}, Compare::kEqual);
}

TEST_P(OpTest, ConcatOfVectors) {
  Expect(Concat{0}, {Source(Count({3})), Source(Count({1}, 10))}, {4}, {0, 1, 2, 10},
         Compare::kEqual);
}

TEST_P(OpTest, ConcatOfOneTensor) {
  Expect(Concat{1}, {Source(Count({1, 3}))}, {1, 3}, {0, 1, 2}, Compare::kEqual);
}

TEST_P(OpTest, ConcatWithAConstant) {
  Expect(Concat{1}, {Constant(Count({2, 1}, 10)), Source(Count({2, 2}))}, {2, 3},
         {10, 0, 1, 11, 2, 3}, Compare::kEqual);
}

TEST_P(OpTest, PadReflect) {
  const OpInput src = Source(Count({4}, 1));
  Expect(Pad{Pad::Mode::kReflect, {2}, {1}}, {src}, {7}, {3, 2, 1, 2, 3, 4, 3}, Compare::kEqual);
  Expect(Pad{Pad::Mode::kReflect, {3}, {3}}, {src}, {10}, {4, 3, 2, 1, 2, 3, 4, 3, 2, 1},
         Compare::kEqual);
}

TEST_P(OpTest, PadReplicate) {
  Expect(Pad{Pad::Mode::kReplicate, {2}, {5}}, {Source(Count({2}, 1))}, {9},
         {1, 1, 1, 2, 2, 2, 2, 2, 2}, Compare::kEqual);
}

TEST_P(OpTest, PadCircular) {
  const OpInput src = Source(Count({4}, 1));
  Expect(Pad{Pad::Mode::kCircular, {2}, {1}}, {src}, {7}, {3, 4, 1, 2, 3, 4, 1}, Compare::kEqual);
  Expect(Pad{Pad::Mode::kCircular, {4}, {4}}, {src}, {12}, {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4},
         Compare::kEqual);
}

TEST_P(OpTest, PadOnEachAxis) {
  const OpInput src = Source(Count({1, 2, 1, 2}, 1));
  Expect(Pad{Pad::Mode::kReplicate, {1, 0, 0, 0}, {1, 0, 0, 0}}, {src}, {3, 2, 1, 2},
         {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4}, Compare::kEqual);
  Expect(Pad{Pad::Mode::kReflect, {0, 1, 0, 0}, {0, 0, 0, 0}}, {src}, {1, 3, 1, 2},
         {3, 4, 1, 2, 3, 4}, Compare::kEqual);
  Expect(Pad{Pad::Mode::kCircular, {0, 0, 1, 0}, {0, 0, 1, 0}}, {src}, {1, 2, 3, 2},
         {1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}, Compare::kEqual);
  Expect(Pad{Pad::Mode::kReflect, {0, 0, 0, 0}, {0, 0, 0, 1}}, {src}, {1, 2, 1, 3},
         {1, 2, 1, 3, 4, 3}, Compare::kEqual);
}

TEST_P(OpTest, PadOnTwoAxesFillsTheCorners) {
  Expect(Pad{Pad::Mode::kCircular, {1, 1}, {0, 1}}, {Source(Count({2, 2}, 1))}, {3, 4},
         {4, 3, 4, 3, 2, 1, 2, 1, 4, 3, 4, 3}, Compare::kEqual);
}

TEST_P(OpTest, Permute) {
  const Tensor src = Count({1, 2, 3});
  for (const OpInput& input : {Source(src), Constant(src)}) {
    Expect(Permute{{2, 0, 1}}, {input}, {3, 1, 2}, {0, 3, 1, 4, 2, 5}, Compare::kEqual);
    Expect(Permute{{0, 1, 2}}, {input}, {1, 2, 3}, {0, 1, 2, 3, 4, 5}, Compare::kEqual);
  }
}

TEST_P(OpTest, PermuteKeepsRunsTogether) {
  Expect(Permute{{0, 2, 1, 3}}, {Source(Count({1, 2, 3, 2}))}, {1, 3, 2, 2},
         {0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11}, Compare::kEqual);
}

TEST_P(OpTest, Slice) {
  const Tensor src = Count({3, 4});
  for (const OpInput& input : {Source(src), Constant(src)}) {
    Expect(Slice{{1, 2}}, {input}, {2, 2}, {6, 7, 10, 11}, Compare::kEqual);
    Expect(Slice{{1, 0}}, {input}, {2, 4}, {4, 5, 6, 7, 8, 9, 10, 11}, Compare::kEqual);
    Expect(Slice{{2, 3}}, {input}, {1, 1}, {11}, Compare::kEqual);
  }
}

TEST_P(OpTest, PermuteAndSliceMoveElementsOfEverySize) {
  const auto moved = [&]<typename T>(DType dtype, T) {
    const Tensor src = testing::ValuesOf<T>(dtype, {2, 2}, {1, 2, 3, 4});
    const auto permuted = testing::RunOp(backend(), Permute{{1, 0}}, {Source(src)}, {2, 2});
    const auto sliced = testing::RunOp(backend(), Slice{{0, 1}}, {Source(src)}, {2, 1});
    ASSERT_TRUE(permuted.ok() && sliced.ok()) << permuted.status() << sliced.status();
    EXPECT_EQ(permuted->dst.dtype(), dtype);
    const auto* all = reinterpret_cast<const T*>(permuted->dst.data());
    EXPECT_EQ(std::vector<T>(all, all + 4), (std::vector<T>{1, 3, 2, 4}));
    const auto* column = reinterpret_cast<const T*>(sliced->dst.data());
    EXPECT_EQ(std::vector<T>(column, column + 2), (std::vector<T>{2, 4}));
  };
  moved(DType::kUint8, uint8_t{});
  moved(DType::kFp16, uint16_t{});
  moved(DType::kInt32, int32_t{});
  moved(DType::kInt64, int64_t{});
}

TEST_P(OpTest, ReorderFromDenseToDenseCopies) {
  const Tensor src = Count({3, 5});
  const Value value = {.dtype = src.dtype(), .shape = src.shape()};
  const auto prepared = backend().PrepareReorder(value, nullptr, nullptr);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  std::vector<float> dst(15, -1);
  const std::byte* const srcs[] = {src.data()};
  ASSERT_TRUE(
      prepared->kernel->Run({srcs, reinterpret_cast<std::byte*>(dst.data()), nullptr}).ok());
  EXPECT_TRUE(std::equal(dst.begin(), dst.end(), src.values<float>().begin()));
}

}  // namespace
}  // namespace lazynet::backend
