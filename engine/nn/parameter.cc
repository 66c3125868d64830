#include "engine/nn/parameter.h"

namespace lazynet::nn {

int64_t Extent::Value(const Sizes& sizes) const {
  if (size < 0) return constant;
  const int64_t known = sizes[static_cast<size_t>(size)];
  return known == kUnknownDim ? kUnknownDim : known / divisor * factor;
}

Shape ParameterSpec::ShapeFor(const Sizes& sizes) const {
  Shape::Dims dims;
  for (const Extent& extent : extents) dims.push_back(extent.Value(sizes));
  return Shape(std::move(dims));
}

}  // namespace lazynet::nn
