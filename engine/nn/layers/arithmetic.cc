#include "engine/nn/layers/arithmetic.h"

#include "engine/nn/broadcast.h"

namespace lazynet::nn {
namespace {

class Arithmetic : public Layer {
 public:
  explicit Arithmetic(backend::Binary::Algorithm algorithm) : op_{algorithm} {}

  Arity arity() const override { return {.least = 2, .most = -1}; }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    Shape result = inputs[0];
    for (const Shape& input : inputs.subspan(1)) {
      ASSIGN_OR_RETURN(result, Broadcast(result, input));
      RETURN_IF_ERROR(CheckPartialBounds(result.dims()));
    }
    return result;
  }

  OutputValues Lower(Lowering& lowering) const override {
    auto result = lowering.input(0);
    for (int i = 1; i < lowering.input_count(); ++i) {
      const auto next = lowering.input(i);
      result = lowering.Add(op_, {result, next},
                            *Broadcast(lowering.shape(result), lowering.shape(next)));
    }
    return result;
  }

  std::string Arguments(const Sizes&) const override { return ""; }

 private:
  backend::Binary op_;
};

}  // namespace

std::unique_ptr<const Layer> MakeArithmetic(backend::Binary::Algorithm algorithm) {
  return std::make_unique<Arithmetic>(algorithm);
}

}  // namespace lazynet::nn
