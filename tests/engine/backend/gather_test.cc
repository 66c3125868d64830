#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

using testing::ValuesOf;

class GatherTest : public OpTest {
 protected:
  absl::StatusOr<testing::OpResult> Gather(const OpInput& ids, const OpInput& table) {
    Shape dst = ids.tensor->shape();
    Shape::Dims dims(dst.dims().begin(), dst.dims().end());
    dims.push_back(table.tensor->shape().dim(1));
    return testing::RunOp(backend(), backend::Gather{}, {ids, table}, Shape(dims),
                          table.tensor->dtype());
  }
};

TEST_P(GatherTest, TakesRowsOfTheTable) {
  const Tensor ids = ValuesOf<int64_t>(DType::kInt64, {2, 2}, {2, 0, 1, 2});
  const Tensor table = Count({3, 2}, 10);
  const std::vector<float> want = {14, 15, 10, 11, 12, 13, 14, 15};
  for (const OpInput& first : {Source(ids), Constant(ids)}) {
    for (const OpInput& second : {Source(table), Constant(table)}) {
      const auto result = Gather(first, second);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->dst.shape(), (Shape{2, 2, 2}));
      const auto got = result->dst.values<float>();
      EXPECT_EQ(std::vector<float>(got.begin(), got.end()), want);
    }
  }
}

TEST_P(GatherTest, TakesAScalarIdAndTablesOfOtherTypes) {
  const auto doubles = Gather(Source(ValuesOf<int32_t>(DType::kInt32, {}, {1})),
                              Constant(testing::Values64({2, 1}, {0.5, 0.25})));
  ASSERT_TRUE(doubles.ok()) << doubles.status();
  EXPECT_EQ(doubles->dst.values<double>()[0], 0.25);
  const auto halves = Gather(Source(ValuesOf<int32_t>(DType::kInt32, {2}, {1, 0})),
                             Constant(ValuesOf<uint16_t>(DType::kFp16, {2, 1}, {7, 9})));
  ASSERT_TRUE(halves.ok()) << halves.status();
  EXPECT_EQ(reinterpret_cast<const uint16_t*>(halves->dst.data())[0], 9);
}

TEST_P(GatherTest, RefusesIdsOutsideTheTable) {
  const OpInput table = Constant(Count({3, 2}));
  const auto status = [&](int64_t id) {
    return Gather(Source(ValuesOf<int64_t>(DType::kInt64, {2}, {0, id})), table).status();
  };
  EXPECT_EQ(status(3).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status(3)), "layer \"op\": wants ids in [0, 3), got 3");
  EXPECT_EQ(Message(status(-1)), "layer \"op\": wants ids in [0, 3), got -1");
  EXPECT_EQ(Message(status(int64_t{1} << 40)),
            "layer \"op\": wants ids in [0, 3), got 1099511627776");
}

TEST_P(GatherTest, RefusesIdsThatAreNoIndices) {
  EXPECT_EQ(Gather(Source(Count({2})), Constant(Count({3, 2}))).status().code(),
            absl::StatusCode::kUnimplemented);
}

INSTANTIATE_TEST_SUITE_P(Backends, GatherTest, ::testing::ValuesIn(Backends()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace lazynet::backend
