#include "engine/nn/layers/local_response_norm.h"

namespace lazynet::nn {
namespace {

class LocalResponseNorm : public Layer {
 public:
  explicit LocalResponseNorm(AttributeReader& reader)
      : op_{.size = reader.RequiredInt("size", 1),
            .alpha = reader.Double("alpha", 1e-4),
            .beta = reader.Double("beta", 0.75),
            .k = reader.Double("k", 1)} {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    if (inputs[0].rank() >= 3) return inputs[0];
    return InvalidArgument("wants a rank of at least 3, got shape {}", inputs[0].ToString());
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    return lowering.Add(op_, {src}, lowering.shape(src));
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("{}, alpha={}, beta={}, k={}", op_.size, PythonFloat(op_.alpha),
                       PythonFloat(op_.beta), PythonFloat(op_.k));
  }

 private:
  backend::LocalResponseNormalization op_;
};

}  // namespace

std::unique_ptr<const Layer> MakeLocalResponseNorm(AttributeReader& reader) {
  return std::make_unique<LocalResponseNorm>(reader);
}

}  // namespace lazynet::nn
