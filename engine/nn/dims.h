#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/nn/axes.h"
#include "engine/nn/dim_expression.h"
#include "engine/nn/layer.h"

namespace lazynet::nn {

// The axes in the order of `dims`, none when it is empty. INVALID_ARGUMENT when one is named twice
// or there is none such.
absl::StatusOr<std::vector<int>> DistinctAxes(std::span<const int64_t> dims, const Shape& shape);

// INVALID_ARGUMENT for a shape of rank 0.
absl::Status CheckNoScalar(const Shape& shape);

// The shape without one of its axes.
Shape WithoutAxis(const Shape& shape, int axis);

// A size that may not be known yet.
using Size = std::optional<int64_t>;

// The dim of a shape as a size, and back.
inline Size KnownDim(int64_t dim) { return dim == kUnknownDim ? Size() : Size(dim); }
inline int64_t DimOf(const Size& size) { return size.value_or(kUnknownDim); }

absl::StatusOr<std::vector<Size>> Evaluate(std::span<const DimExpression> expressions,
                                           std::span<const Shape> inputs);

// The shape that `wanted` gives to the elements of input 0's axes [begin, end): one of the sizes
// may be -1, which stands for what remains. Sizes that are said to be unknown dims of the input
// itself cancel out: "dim(0), -1" of [?, 3, 4] is [?, 12]. INVALID_ARGUMENT if no numbers in place
// of what is unknown would do.
absl::StatusOr<Shape::Dims> Rearranged(std::span<const DimExpression> wanted,
                                       std::span<const Shape> inputs, int begin, int end);

// The product, kUnknownDim if the dim is.
int64_t TimesDim(int64_t dim, int64_t factor);

// The shapes of all inputs of the layer being lowered.
std::vector<Shape> InputShapes(Lowering& lowering);

// The part [begin, begin + size) of an axis; src itself if that is all of it.
backend::ValueId SliceAxis(Lowering& lowering, backend::ValueId src, int axis, int64_t begin,
                           int64_t size, int64_t step = 1);

// src with the axes in another order; src itself if that is their order.
backend::ValueId PermuteAxes(Lowering& lowering, backend::ValueId src,
                             const backend::AxisVector& order);

// A layer that moves elements of any dtype: its outputs have that of the first input.
class ShapeLayer : public Layer {
 public:
  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    OutputDTypes dtypes;
    dtypes.resize(output_names().size(), inputs[0]);
    return dtypes;
  }
};

// Such a layer whose arguments may name the sizes of further inputs.
class SizedShapeLayer : public ShapeLayer {
 public:
  Arity arity() const override { return {.least = 1, .most = -1}; }
};

// As repr shows expressions: "size=(dim(0), 3)".
std::string Text(std::span<const DimExpression> expressions);

}  // namespace lazynet::nn
