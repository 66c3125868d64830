#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <utility>
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
// layouts, its scratch memory, and in place where the kernel allows it. The result has the dtype of
// the first input unless another is given.
absl::StatusOr<OpResult> RunOp(const backend::Backend& backend, backend::OpKind kind,
                               std::vector<OpInput> inputs, Shape output_shape,
                               std::optional<DType> output_dtype = std::nullopt);

// A dense tensor of the given values; those of ValuesOf are as `dtype` lies in memory.
Tensor Values(Shape shape, const std::vector<float>& values);
Tensor Values64(Shape shape, const std::vector<double>& values);
template <typename T>
Tensor ValuesOf(DType dtype, Shape shape, const std::vector<T>& values) {
  Tensor tensor = *Tensor::Allocate(dtype, std::move(shape));
  LAZYNET_CHECK(tensor.bytes() == values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(tensor.mutable_view().data, values.data(), tensor.bytes());
  return tensor;
}

// Reproducible values in [-1, 1).
Tensor Noise(Shape shape, uint32_t seed);

}  // namespace lazynet::testing
