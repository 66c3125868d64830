#include "tests/engine/backend/op_test.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lazynet::backend {
namespace {

template <typename T>
bool Agree(T got, T want, double error) {
  if (std::isnan(want)) return std::isnan(got);
  if (got == want) return true;
  if (std::isinf(want) || error == 0) return false;
  return std::abs(double{got} - double{want}) <= error * (1 + std::abs(double{want}));
}

template <typename T>
void ExpectElements(const Tensor& dst, const std::vector<double>& expected, double error) {
  const auto values = dst.values<T>();
  ASSERT_EQ(values.size(), expected.size());
  int failures = 0;
  for (size_t i = 0; i < expected.size() && failures < 5; ++i) {
    const T want = static_cast<T>(expected[i]);
    if (Agree(values[i], want, error)) continue;
    ++failures;
    ADD_FAILURE() << Name(DTypeOf<T>()) << " element " << i << ": wants " << want << ", got "
                  << values[i];
  }
}

Tensor Widen(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return testing::Values64(tensor.shape(), {values.begin(), values.end()});
}

}  // namespace

std::optional<std::string> KnownReason(const BackendCase& backend, const std::string& test) {
  for (const KnownDifference& known : backend.known_differences) {
    if (known.test == test) return known.reason;
  }
  return std::nullopt;
}

void ExpectOp(const Backend& backend, const OpKind& kind, const std::vector<OpInput>& inputs,
              const Shape& output_shape, const std::vector<double>& expected, Compare compare) {
  ASSERT_TRUE(backend.Supports(DType::kFp32));
  const bool equal = compare == Compare::kEqual;
  const auto single = testing::RunOp(backend, kind, inputs, output_shape);
  ASSERT_TRUE(single.ok()) << single.status();
  ExpectElements<float>(single->dst, expected, equal ? 0 : kFp32Error);

  if (!backend.Supports(DType::kFp64)) return;
  std::vector<OpInput> wide = inputs;
  for (OpInput& input : wide) {
    if (input.tensor) input.tensor = Widen(*input.tensor);
  }
  const auto doubles = testing::RunOp(backend, kind, wide, output_shape);
  ASSERT_TRUE(doubles.ok()) << doubles.status();
  ExpectElements<double>(doubles->dst, expected, equal ? 0 : kFp64Error);
}

void OpTest::SetUp() {
  const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  if (const auto reason = KnownReason(GetParam(), name.substr(0, name.find('/')))) {
    GTEST_SKIP() << *reason;
  }
}

Tensor Count(Shape shape, float first, float step) {
  std::vector<float> values(static_cast<size_t>(shape.num_elements()));
  float next = first;
  for (float& value : values) value = std::exchange(next, next + step);
  return Values(std::move(shape), values);
}

INSTANTIATE_TEST_SUITE_P(Backends, OpTest, ::testing::ValuesIn(Backends()),
                         [](const auto& test) { return test.param.name; });

}  // namespace lazynet::backend
