#include "engine/nn/matrices.h"

#include <utility>

namespace lazynet::nn {

Shape BatchOf(const Shape& shape) {
  return Shape(shape.dims().first(static_cast<size_t>(shape.rank()) - 2));
}

Shape WithMatrix(const Shape& batch, int64_t rows, int64_t columns) {
  Shape::Dims dims(batch.dims().begin(), batch.dims().end());
  dims.push_back(rows);
  dims.push_back(columns);
  return Shape(std::move(dims));
}

Shape WithRank(const Shape& shape, int rank) {
  Shape::Dims dims(static_cast<size_t>(rank - shape.rank()), 1);
  dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
  return Shape(std::move(dims));
}

}  // namespace lazynet::nn
