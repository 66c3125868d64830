#include "engine/plan/range_check.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "engine/core/float16.h"

namespace lazynet::plan {
namespace {

absl::StatusCode Check(const std::vector<float>& values) {
  const auto kernel = MakeRangeCheck(DType::kFp32, values.size());
  const auto* src = reinterpret_cast<const std::byte*>(values.data());
  return kernel->Run({.srcs = {&src, 1}, .dst = nullptr, .scratch = nullptr}).code();
}

// The same values rounded to BF16.
absl::StatusCode CheckBf16(const std::vector<float>& values) {
  std::vector<uint16_t> rounded;
  for (const float value : values) rounded.push_back(FloatToBfloat16(value));
  const auto kernel = MakeRangeCheck(DType::kBf16, rounded.size());
  const auto* src = reinterpret_cast<const std::byte*>(rounded.data());
  return kernel->Run({.srcs = {&src, 1}, .dst = nullptr, .scratch = nullptr}).code();
}

TEST(RangeCheck, FindsWhatIsNoOrdinaryNumberAtEveryPlace) {
  using Limits = std::numeric_limits<float>;
  for (size_t place = 0; place < 67; ++place) {
    std::vector<float> values(67, -1.5f);
    EXPECT_EQ(Check(values), absl::StatusCode::kOk);
    for (const float fine : {kCheckedMagnitude, -kCheckedMagnitude, 0.0f, -0.0f, 1e-40f}) {
      values[place] = fine;
      EXPECT_EQ(Check(values), absl::StatusCode::kOk) << fine;
      EXPECT_EQ(CheckBf16(values), absl::StatusCode::kOk) << fine;
    }
    for (const float wrong : {Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::infinity(),
                              -Limits::infinity(), 2e12f, -Limits::max()}) {
      values[place] = wrong;
      EXPECT_EQ(Check(values), absl::StatusCode::kOutOfRange) << wrong;
      EXPECT_EQ(CheckBf16(values), absl::StatusCode::kOutOfRange) << wrong;
    }
  }
}

TEST(RangeCheck, OfNothingPasses) { EXPECT_EQ(Check({}), absl::StatusCode::kOk); }

}  // namespace
}  // namespace lazynet::plan
