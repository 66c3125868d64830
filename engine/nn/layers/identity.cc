#include "engine/nn/layers/identity.h"

#include <string>
#include <utility>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

class Identity : public ShapeLayer {
 public:
  Identity(std::string arguments, bool one_dimensional)
      : arguments_(std::move(arguments)), one_dimensional_(one_dimensional) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    if (one_dimensional_ && inputs[0].rank() != 2 && inputs[0].rank() != 3) {
      return InvalidArgument("wants a rank of 2 or 3, got shape {}", inputs[0].ToString());
    }
    return inputs[0];
  }
  OutputValues Lower(Lowering& lowering) const override { return lowering.input(0); }
  std::string Arguments(const Sizes&) const override { return arguments_; }

 private:
  std::string arguments_;
  bool one_dimensional_;
};

}  // namespace

std::unique_ptr<const Layer> MakeIdentity(AttributeReader&) {
  return std::make_unique<Identity>("", false);
}

std::unique_ptr<const Layer> MakeDropout(bool one_dimensional, AttributeReader& reader) {
  const double p = reader.Double("p", 0.5);
  reader.Require(p >= 0 && p <= 1, fmt::format("argument p wants 0 to 1, got {}", p));
  return std::make_unique<Identity>(fmt::format("p={}, inplace=False", p), one_dimensional);
}

}  // namespace lazynet::nn
