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

TEST_P(OpTest, SliceWithSteps) {
  const OpInput src = Source(Count({3, 5}));
  Expect(Slice{{0, 1}, {2, 3}}, {src}, {2, 2}, {1, 4, 11, 14}, Compare::kEqual);
  Expect(Slice{{2, 4}, {-1, -1}}, {src}, {3, 5}, {14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
         Compare::kEqual);
  Expect(Slice{{2, 3}, {-2, -2}}, {src}, {2, 2}, {13, 11, 3, 1}, Compare::kEqual);
}

TEST_P(OpTest, ExpandStretchesAxes) {
  Expect(Expand{}, {Source(Count({2, 1}, 1))}, {2, 3}, {1, 1, 1, 2, 2, 2}, Compare::kEqual);
  Expect(Expand{}, {Source(Count({1, 2}, 1))}, {3, 2}, {1, 2, 1, 2, 1, 2}, Compare::kEqual);
  Expect(Expand{}, {Source(Count({2}, 1))}, {2, 1, 2}, {1, 2, 1, 2}, Compare::kEqual);
  Expect(Expand{}, {Constant(Count({}, 7))}, {2, 2}, {7, 7, 7, 7}, Compare::kEqual);
}

TEST_P(OpTest, ExpandToMoreAxesThanTensorsHave) {
  Shape src{1, 2};
  Shape dst{1, 2};
  for (int i = 0; i < 12; ++i) {
    Shape::Dims wider(dst.dims().begin(), dst.dims().end());
    wider.insert(wider.begin(), i == 6 ? 2 : 1);
    dst = Shape(wider);
  }
  Expect(Expand{}, {Source(Count(src, 1))}, dst, {1, 2, 1, 2}, Compare::kEqual);
}

TEST_P(OpTest, PadWithAConstant) {
  const OpInput src = Source(Count({2, 2}, 1));
  Expect(Pad{Pad::Mode::kConstant, {1, 0}, {0, 2}, 9}, {src}, {3, 4},
         {9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9, 9}, Compare::kEqual);
  Expect(Pad{Pad::Mode::kConstant, {0, 0}, {0, 0}, 9}, {src}, {2, 2}, {1, 2, 3, 4},
         Compare::kEqual);
  Expect(Pad{Pad::Mode::kConstant, {0, 1}, {0, 0}, -1}, {Source(Count({2, 0}))}, {2, 1}, {-1, -1},
         Compare::kEqual);
}

TEST_P(OpTest, ConcatSkipsWhatIsEmpty) {
  Expect(Concat{0}, {Source(Count({0, 2})), Source(Count({1, 2})), Constant(Count({0, 2}))}, {1, 2},
         {0, 1}, Compare::kEqual);
}

TEST_P(OpTest, MoversTakeElementsOfEverySize) {
  const auto moved = [&]<typename T>(DType dtype, T) {
    const OpInput src = Source(testing::ValuesOf<T>(dtype, {2, 2}, {1, 2, 3, 4}));
    const auto expect = [&](const OpKind& kind, const std::vector<OpInput>& inputs,
                            const Shape& shape, const std::vector<T>& want) {
      SCOPED_TRACE(fmt::format("{} of {}", Name(kind), Name(dtype)));
      const auto result = testing::RunOp(backend(), kind, inputs, shape);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->dst.dtype(), dtype);
      const auto* got = reinterpret_cast<const T*>(result->dst.data());
      EXPECT_EQ(std::vector<T>(got, got + want.size()), want);
    };
    const OpInput index = Source(testing::ValuesOf<int64_t>(DType::kInt64, {2}, {1, 1}));
    const OpInput indices = Source(testing::ValuesOf<int64_t>(DType::kInt64, {1, 2}, {1, 0}));
    expect(Permute{{1, 0}}, {src}, {2, 2}, {1, 3, 2, 4});
    expect(Slice{{0, 1}}, {src}, {2, 1}, {2, 4});
    expect(Slice{{1, 1}, {-1, -1}}, {src}, {2, 2}, {4, 3, 2, 1});
    expect(Expand{}, {src}, {2, 2, 2}, {1, 2, 3, 4, 1, 2, 3, 4});
    expect(Concat{1}, {src, src}, {2, 4}, {1, 2, 1, 2, 3, 4, 3, 4});
    expect(Pad{Pad::Mode::kConstant, {0, 1}, {0, 0}, 0}, {src}, {2, 3}, {0, 1, 2, 0, 3, 4});
    expect(Pad{Pad::Mode::kReplicate, {0, 1}, {0, 0}}, {src}, {2, 3}, {1, 1, 2, 3, 3, 4});
    expect(Triangle{true, 1}, {src}, {2, 2}, {0, 2, 0, 0});
    expect(IndexSelect{0}, {src, index}, {2, 2}, {3, 4, 3, 4});
    expect(GatherAlong{0}, {src, indices}, {1, 2}, {3, 2});
  };
  moved(DType::kUint8, uint8_t{});
  moved(DType::kBool, uint8_t{});
  moved(DType::kFp16, uint16_t{});
  moved(DType::kInt32, int32_t{});
  moved(DType::kInt64, int64_t{});
}

TEST_P(OpTest, PadConvertsItsValue) {
  const auto padded = [&]<typename T>(DType dtype, double value, T want) {
    const OpInput src = Source(testing::ValuesOf<T>(dtype, {1}, {T{1}}));
    const auto result =
        testing::RunOp(backend(), Pad{Pad::Mode::kConstant, {0}, {1}, value}, {src}, {2});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(reinterpret_cast<const T*>(result->dst.data())[1], want) << Name(dtype);
  };
  padded(DType::kInt64, -2.7, int64_t{-2});
  padded(DType::kUint8, 200, uint8_t{200});
  padded(DType::kBool, 0.5, uint8_t{1});
  padded(DType::kFp16, 1, uint16_t{0x3c00});
}

TEST_P(OpTest, ConcatWantsOneDType) {
  const auto result = testing::RunOp(
      backend(), Concat{0}, {Source(Count({1})), Source(testing::Values64({1}, {1}))}, {2});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnimplemented);
}

TEST_P(OpTest, TriangleOfEachMatrix) {
  Expect(Triangle{false, 0}, {Source(Count({2, 2, 3}, 1))}, {2, 2, 3},
         {1, 0, 0, 4, 5, 0, 7, 0, 0, 10, 11, 0}, Compare::kEqual);
  Expect(Triangle{true, -1}, {Source(Count({3, 2}, 1))}, {3, 2}, {1, 2, 3, 4, 0, 6},
         Compare::kEqual);
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
