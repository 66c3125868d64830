#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

template <typename Index>
OpInput Indices(DType dtype, Shape shape, const std::vector<Index>& values) {
  return Source(testing::ValuesOf<Index>(dtype, std::move(shape), values));
}
OpInput Indices(Shape shape, const std::vector<int64_t>& values) {
  return Indices<int64_t>(DType::kInt64, std::move(shape), values);
}

std::vector<float> Elements(const absl::StatusOr<testing::OpResult>& result) {
  if (!result.ok()) return {};
  const auto values = result->dst.values<float>();
  return {values.begin(), values.end()};
}

TEST_P(OpTest, IndexSelectTakesSlices) {
  const OpInput src = Source(Count({2, 3, 2}));
  const auto select = [&](int axis, const OpInput& index, const Shape& dst) {
    return Elements(testing::RunOp(backend(), IndexSelect{axis}, {src, index}, dst));
  };
  EXPECT_EQ(select(0, Indices({1}, {1}), {1, 3, 2}), (std::vector<float>{6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(select(1, Indices({2}, {2, 0}), {2, 2, 2}),
            (std::vector<float>{4, 5, 0, 1, 10, 11, 6, 7}));
  EXPECT_EQ(select(2, Indices<int32_t>(DType::kInt32, {1}, {1}), {2, 3, 1}),
            (std::vector<float>{1, 3, 5, 7, 9, 11}));
}

TEST_P(OpTest, IndexSelectOfAScalar) {
  const auto result =
      testing::RunOp(backend(), IndexSelect{0}, {Source(Count({}, 5)), Indices({1}, {0})}, {});
  EXPECT_EQ(Elements(result), (std::vector<float>{5}));
}

TEST_P(OpTest, GatherAlongAnAxis) {
  const OpInput src = Source(Count({2, 3}));
  const auto gather = [&](int axis, const OpInput& index, const Shape& dst) {
    return Elements(testing::RunOp(backend(), GatherAlong{axis}, {src, index}, dst));
  };
  EXPECT_EQ(gather(1, Indices({2, 2}, {2, 0, 1, 1}), {2, 2}), (std::vector<float>{2, 0, 4, 4}));
  EXPECT_EQ(gather(0, Indices({3, 2}, {0, 1, 1, 0, 0, 0}), {3, 2}),
            (std::vector<float>{0, 4, 3, 1, 0, 1}));
  EXPECT_EQ(gather(1, Indices({1, 1}, {2}), {1, 1}), (std::vector<float>{2}));
}

TEST_P(OpTest, IndicesOutsideAreRefused) {
  const OpInput src = Source(Count({2, 3}));
  for (const int64_t bad : {int64_t{-1}, int64_t{3}, int64_t{1} << 40}) {
    const OpKind kinds[] = {IndexSelect{1}, GatherAlong{1}};
    const Shape shapes[] = {{1}, {2, 1}};
    for (size_t i = 0; i < 2; ++i) {
      const std::vector<int64_t> values(static_cast<size_t>(shapes[i].num_elements()), bad);
      const auto result =
          testing::RunOp(backend(), kinds[i], {src, Indices(shapes[i], values)}, {2, 1});
      EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_NE(std::string(Message(result.status())).find(fmt::format("[0, 3), got {}", bad)),
                std::string::npos)
          << result.status();
    }
  }
}

}  // namespace
}  // namespace lazynet::backend
