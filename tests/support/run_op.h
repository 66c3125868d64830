#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/backend/backend.h"

namespace lazynet::testing {

// An input of an op under test: absent, a constant (as weights are) or a value of the request.
struct OpInput {
  std::optional<Tensor> tensor;
  bool constant = false;
};

inline OpInput Absent() { return {}; }
inline OpInput Constant(Tensor tensor) { return {std::move(tensor), true}; }
inline OpInput Source(Tensor tensor) { return {std::move(tensor), false}; }

struct OpResult {
  Tensor dst;  // dense
  std::string implementation;
};

// Prepares and runs one op on a backend as a plan would: with reorders where the kernel wants other
// layouts, its scratch memory, and in place where the kernel allows it.
absl::StatusOr<OpResult> RunOp(const backend::Backend& backend, backend::OpKind kind,
                               std::vector<OpInput> inputs, Shape output_shape);

// A dense tensor of the given values.
Tensor Values(Shape shape, const std::vector<float>& values);
Tensor Values64(Shape shape, const std::vector<double>& values);

// Reproducible values in [-1, 1).
Tensor Noise(Shape shape, uint32_t seed);

}  // namespace lazynet::testing
