#include "engine/nn/layers/triangle.h"

#include <algorithm>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

class Triangle : public ShapeLayer {
 public:
  Triangle(bool upper, AttributeReader& reader)
      : upper_(upper), diagonal_(reader.Int("diagonal", 0)) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    if (inputs[0].rank() >= 2) return inputs[0];
    return InvalidArgument("wants a rank of at least 2, got shape {}", inputs[0].ToString());
  }

  OutputValues Lower(Lowering& lowering) const override {
    // Beyond the largest dim all diagonals are one.
    const int64_t diagonal = std::clamp(diagonal_, -kMaxDim, kMaxDim);
    const auto src = lowering.input(0);
    return lowering.Add(backend::Triangle{upper_, diagonal}, {src}, lowering.shape(src));
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("diagonal={}", diagonal_);
  }

 private:
  bool upper_;
  int64_t diagonal_;
};

}  // namespace

std::unique_ptr<const Layer> MakeTriangle(bool upper, AttributeReader& reader) {
  return std::make_unique<Triangle>(upper, reader);
}

}  // namespace lazynet::nn
