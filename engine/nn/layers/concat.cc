#include "engine/nn/layers/concat.h"

#include <vector>

namespace lazynet::nn {
namespace {

class Concat : public Layer {
 public:
  explicit Concat(AttributeReader& reader) : dim_(reader.Int("dim", 0)) {}

  Arity arity() const override { return {.least = 1, .most = -1}; }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const int rank = inputs[0].rank();
    if (dim_ < -rank || dim_ >= rank) {
      return InvalidArgument("wants a rank that has dim {}, got shape {}", dim_,
                             inputs[0].ToString());
    }
    const int axis = Axis(rank);
    Shape output = inputs[0];
    for (const Shape& input : inputs.subspan(1)) {
      if (!Append(input, axis, output)) {
        return InvalidArgument("wants shapes that agree but for dim {}, got {} and {}", dim_,
                               inputs[0].ToString(), input.ToString());
      }
      RETURN_IF_ERROR(CheckPartialBounds(output.dims()));
    }
    return output;
  }

  // Inputs without elements add nothing, and kernels want none.
  OutputValues Lower(Lowering& lowering) const override {
    const int axis = Axis(lowering.shape(lowering.input(0)).rank());
    Shape output = lowering.shape(lowering.input(0));
    output.set_dim(axis, 0);
    std::vector<backend::ValueId> parts;
    for (int i = 0; i < lowering.input_count(); ++i) {
      const auto part = lowering.input(i);
      const int64_t size = lowering.shape(part).dim(axis);
      output.set_dim(axis, output.dim(axis) + size);
      if (size > 0) parts.push_back(part);
    }
    if (parts.empty()) return lowering.input(0);
    if (parts.size() == 1) return parts.front();
    return lowering.Add(backend::Concat{.axis = axis}, std::move(parts), output);
  }

  std::string Arguments(const Sizes&) const override { return fmt::format("dim={}", dim_); }

 private:
  // Makes `output` the shape of itself with `input` behind it; false when they do not agree.
  static bool Append(const Shape& input, int axis, Shape& output) {
    if (input.rank() != output.rank()) return false;
    for (int i = 0; i < output.rank(); ++i) {
      const int64_t left = output.dim(i);
      const int64_t right = input.dim(i);
      const bool open = left == kUnknownDim || right == kUnknownDim;
      if (i == axis) {
        output.set_dim(i, open ? kUnknownDim : left + right);
      } else if (left == kUnknownDim) {
        output.set_dim(i, right);
      } else if (left != right && !open) {
        return false;
      }
    }
    return true;
  }

  int Axis(int rank) const { return static_cast<int>(dim_ < 0 ? dim_ + rank : dim_); }

  int64_t dim_;
};

}  // namespace

std::unique_ptr<const Layer> MakeConcat(AttributeReader& reader) {
  return std::make_unique<Concat>(reader);
}

}  // namespace lazynet::nn
