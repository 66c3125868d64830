#include "engine/nn/layers/flatten.h"

#include <algorithm>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

class Flatten : public ShapeLayer {
 public:
  explicit Flatten(AttributeReader& reader)
      : start_dim_(reader.Int("start_dim", 1)), end_dim_(reader.Int("end_dim", -1)) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return Output(inputs[0]);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    return lowering.Reshape(src, *Output(lowering.shape(src)));
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("start_dim={}, end_dim={}", start_dim_, end_dim_);
  }

 private:
  absl::StatusOr<Shape> Output(const Shape& input) const {
    const int64_t rank = std::max(input.rank(), 1);
    for (int64_t dim : {start_dim_, end_dim_}) {
      if (dim < -rank || dim >= rank) {
        return InvalidArgument("wants a rank that has dim {}, got shape {}", dim, input.ToString());
      }
    }
    if (input.rank() == 0) return Shape{1};
    const int64_t start = start_dim_ < 0 ? start_dim_ + rank : start_dim_;
    const int64_t end = end_dim_ < 0 ? end_dim_ + rank : end_dim_;
    if (start > end) {
      return InvalidArgument("wants start_dim {} not after end_dim {} in shape {}", start_dim_,
                             end_dim_, input.ToString());
    }
    Shape::Dims dims;
    int64_t merged = 1;
    for (int axis = 0; axis < input.rank(); ++axis) {
      if (axis < start || axis > end) {
        dims.push_back(input.dim(axis));
        continue;
      }
      const int64_t size = input.dim(axis);
      merged = merged == kUnknownDim || size == kUnknownDim ? kUnknownDim : merged * size;
      if (axis == end) dims.push_back(merged);
    }
    return Shape(std::move(dims));
  }

  int64_t start_dim_;
  int64_t end_dim_;
};

}  // namespace

std::unique_ptr<const Layer> MakeFlatten(AttributeReader& reader) {
  return std::make_unique<Flatten>(reader);
}

}  // namespace lazynet::nn
