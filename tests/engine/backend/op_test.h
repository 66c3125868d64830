#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/engine/backend/backends.h"
#include "tests/support/run_op.h"

namespace lazynet::backend {

using testing::Absent;
using testing::Constant;
using testing::OpInput;
using testing::Source;
using testing::Values;

// What a result may differ by from the expected value v: error * (1 + |v|). The expected values are
// of double precision, so this allows for the rounding of the backend alone. 1e-5 is some 80 units
// in the last place of FP32: sums of the few hundred terms that occur here stay far below it, and
// so do the polynomials that vector kernels use for exp, tanh and erf. FP64 has plain loops, and
// BLAS for products, whose sums of a few hundred terms come in any order.
inline constexpr double kFp32Error = 1e-5;
inline constexpr double kFp64Error = 1e-12;

enum class Compare {
  kClose,
  kEqual,  // for ops that only choose or move elements; 0 and -0 are equal
};

// Why the backend is excused from `test`, or nothing.
std::optional<std::string> KnownReason(const BackendCase& backend, const std::string& test);

// Expects that the op gives `expected` on the backend, in FP32 and, where it is supported, FP64.
// Inputs are given in FP32. NaN wants NaN.
void ExpectOp(const Backend& backend, const OpKind& kind, const std::vector<OpInput>& inputs,
              const Shape& output_shape, const std::vector<double>& expected,
              Compare compare = Compare::kClose);

// A test of one op by hand-computed values, run on each backend.
class OpTest : public ::testing::TestWithParam<BackendCase> {
 protected:
  OpTest() : backend_(GetParam().make()) {}

  void SetUp() override;

  void Expect(const OpKind& kind, const std::vector<OpInput>& inputs, const Shape& output_shape,
              const std::vector<double>& expected, Compare compare = Compare::kClose) {
    ExpectOp(*backend_, kind, inputs, output_shape, expected, compare);
  }

  // Expects just these elements, in ops whose dtypes are given by their inputs and `dtype`.
  template <typename T>
  void ExpectElements(const OpKind& kind, const std::vector<OpInput>& inputs,
                      const Shape& output_shape, DType dtype, const std::vector<T>& expected) {
    const auto result = testing::RunOp(*backend_, kind, inputs, output_shape, dtype);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->dst.bytes(), expected.size() * sizeof(T));
    const auto* elements = reinterpret_cast<const T*>(result->dst.data());
    EXPECT_EQ(std::vector<T>(elements, elements + expected.size()), expected);
  }

  const Backend& backend() const { return *backend_; }

 private:
  std::unique_ptr<Backend> backend_;
};

// 0, 1, 2, ... or another arithmetic sequence.
Tensor Count(Shape shape, float first = 0, float step = 1);

}  // namespace lazynet::backend
