#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

using testing::ValuesOf;

class EmbeddingBagTest : public OpTest {
 protected:
  // The bags of `ids` from the rows (1, -1), (2, 5), (4, -3); their number is the output's.
  absl::StatusOr<testing::OpResult> Run(const EmbeddingBag& op, const std::vector<int64_t>& ids,
                                        const std::vector<int64_t>& offsets, int64_t bags,
                                        const OpInput& weights = Absent()) {
    const auto list = [](const std::vector<int64_t>& values) {
      const Shape shape{static_cast<int64_t>(values.size())};
      return Source(ValuesOf<int64_t>(DType::kInt64, shape, values));
    };
    return testing::RunOp(backend(), op,
                          {list(ids), offsets.empty() ? Absent() : list(offsets),
                           Constant(Values({3, 2}, {1, -1, 2, 5, 4, -3})), weights},
                          Shape{bags, 2}, DType::kFp32);
  }

  std::vector<float> Bags(const EmbeddingBag& op, const std::vector<int64_t>& ids,
                          const std::vector<int64_t>& offsets, int64_t bags,
                          const OpInput& weights = Absent()) {
    const auto result = Run(op, ids, offsets, bags, weights);
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return {};
    const auto values = result->dst.values<float>();
    return {values.begin(), values.end()};
  }
};

TEST_P(EmbeddingBagTest, JoinsTheRowsOfEachBag) {
  using enum EmbeddingBag::Mode;
  EXPECT_EQ(Bags({.mode = kSum}, {0, 2, 1, 1}, {}, 2), (std::vector<float>{5, -4, 4, 10}));
  EXPECT_EQ(Bags({.mode = kMean}, {0, 2, 1, 1}, {}, 2), (std::vector<float>{2.5, -2, 2, 5}));
  EXPECT_EQ(Bags({.mode = kMax}, {0, 2, 1, 1}, {}, 2), (std::vector<float>{4, -1, 2, 5}));
}

TEST_P(EmbeddingBagTest, OffsetsSayWhereBagsStart) {
  using enum EmbeddingBag::Mode;
  EXPECT_EQ(Bags({.mode = kSum}, {0, 1, 2}, {0, 1, 1}, 3), (std::vector<float>{1, -1, 0, 0, 6, 2}));
  EXPECT_EQ(Bags({.mode = kMax}, {0, 1, 2}, {0, 3}, 2), (std::vector<float>{4, 5, 0, 0}));
  EXPECT_EQ(Bags({.mode = kSum, .include_last_offset = true}, {0, 1, 2}, {0, 1, 2}, 2),
            (std::vector<float>{1, -1, 2, 5}));
}

TEST_P(EmbeddingBagTest, PaddingIsNeitherAddedNorCounted) {
  using enum EmbeddingBag::Mode;
  EXPECT_EQ(Bags({.mode = kMean, .padding_idx = 1}, {0, 1, 2, 1, 1, 1}, {}, 2),
            (std::vector<float>{2.5, -2, 0, 0}));
}

TEST_P(EmbeddingBagTest, WeightsMultiplyRows) {
  EXPECT_EQ(Bags({.mode = EmbeddingBag::Mode::kSum}, {0, 2}, {}, 1, Source(Values({2}, {2, -1}))),
            (std::vector<float>{-2, 1}));
}

TEST_P(EmbeddingBagTest, BagsOfNothingAreZeros) {
  EXPECT_EQ(Bags({}, {}, {0, 0}, 2), (std::vector<float>{0, 0, 0, 0}));
}

TEST_P(EmbeddingBagTest, RefusesWhatLeadsOutOfTheTableOrTheIds) {
  const auto error = [&](const std::vector<int64_t>& ids, const std::vector<int64_t>& offsets) {
    const absl::Status status = Run({}, ids, offsets, 2).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(Message(status));
  };
  EXPECT_EQ(error({0, 3}, {0, 1}), "layer \"op\": wants ids in [0, 3), got 3");
  EXPECT_EQ(error({0, -1}, {0, 1}), "layer \"op\": wants ids in [0, 3), got -1");
  const std::string offsets = "layer \"op\": wants offsets that ascend from 0 to at most 2";
  EXPECT_EQ(error({0, 1}, {1, 1}), offsets);
  EXPECT_EQ(error({0, 1}, {0, 3}), offsets);
  EXPECT_EQ(error({0, 1}, {0, -1}), offsets);
  const EmbeddingBag with_last = {.include_last_offset = true};
  EXPECT_EQ(Message(Run(with_last, {0, 1}, {0, 2, 1}, 2).status()), offsets);
}

INSTANTIATE_TEST_SUITE_P(Backends, EmbeddingBagTest, ::testing::ValuesIn(Backends()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace lazynet::backend
