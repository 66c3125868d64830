#include "engine/nn/layers/glu.h"

#include <string>

#include "engine/nn/axes.h"
#include "engine/nn/layers/elementwise.h"

namespace lazynet::nn {
namespace {

class Glu : public Layer {
 public:
  explicit Glu(AttributeReader& reader) : dim_(reader.Int("dim", -1)) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    Shape shape = inputs[0];
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim_, shape));
    if (shape.rank() == 0) return InvalidArgument("wants a rank of at least 1, got shape []");
    const int64_t size = shape.dim(axis);
    if (size == kUnknownDim) return shape;
    if (size % 2 != 0) {
      return InvalidArgument("wants an even size along dim {}, got shape {}", dim_,
                             shape.ToString());
    }
    shape.set_dim(axis, size / 2);
    return shape;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    Shape half = lowering.shape(src);
    const int axis = *AxisOf(dim_, half);
    half.set_dim(axis, half.dim(axis) / 2);
    backend::Slice slice;
    slice.begin.resize(static_cast<size_t>(half.rank()), 0);
    const auto value = lowering.Add(slice, {src}, half);
    slice.begin[static_cast<size_t>(axis)] = half.dim(axis);
    const auto gate = AddEltwise(lowering, {backend::Eltwise::Algorithm::kSigmoid},
                                 lowering.Add(slice, {src}, half));
    return AddBinary(lowering, backend::Binary::Algorithm::kMul, value, gate);
  }

  std::string Arguments(const Sizes&) const override { return fmt::format("dim={}", dim_); }

 private:
  int64_t dim_;
};

}  // namespace

std::unique_ptr<const Layer> MakeGlu(AttributeReader& reader) {
  return std::make_unique<Glu>(reader);
}

}  // namespace lazynet::nn
