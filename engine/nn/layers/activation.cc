#include "engine/nn/layers/activation.h"

#include <algorithm>
#include <array>
#include <string>

namespace lazynet::nn {
namespace {

using backend::Eltwise;
using Algorithm = Eltwise::Algorithm;

class Activation : public Layer {
 public:
  Activation(Eltwise op, std::string arguments) : op_(op), arguments_(std::move(arguments)) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return inputs[0];
  }
  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    return lowering.Add(op_, {src}, lowering.shape(src));
  }
  std::string Arguments(const Sizes&) const override { return arguments_; }

 private:
  Eltwise op_;
  std::string arguments_;
};

using Factory = std::unique_ptr<const Layer> (*)(AttributeReader&);

template <Algorithm algorithm>
std::unique_ptr<const Layer> Plain(AttributeReader&) {
  return std::make_unique<Activation>(Eltwise{.algorithm = algorithm}, "");
}

std::unique_ptr<const Layer> Relu6(AttributeReader&) {
  return std::make_unique<Activation>(
      Eltwise{.algorithm = Algorithm::kClamp, .alpha = 0, .beta = 6}, "");
}

std::unique_ptr<const Layer> LeakyRelu(AttributeReader& reader) {
  const double slope = reader.Double("negative_slope", 0.01);
  return std::make_unique<Activation>(Eltwise{.algorithm = Algorithm::kLeakyRelu, .alpha = slope},
                                      fmt::format("negative_slope={}", slope));
}

std::unique_ptr<const Layer> Elu(AttributeReader& reader) {
  const double alpha = reader.Double("alpha", 1);
  return std::make_unique<Activation>(Eltwise{.algorithm = Algorithm::kElu, .alpha = alpha},
                                      fmt::format("alpha={}", PythonFloat(alpha)));
}

std::unique_ptr<const Layer> Gelu(AttributeReader& reader) {
  const std::string approximate = reader.String("approximate", "none");
  reader.Require(approximate == "none" || approximate == "tanh",
                 fmt::format("argument approximate wants none or tanh, got {}", approximate));
  const Algorithm algorithm = approximate == "tanh" ? Algorithm::kGeluTanh : Algorithm::kGeluErf;
  return std::make_unique<Activation>(Eltwise{.algorithm = algorithm},
                                      fmt::format("approximate={}", approximate));
}

std::unique_ptr<const Layer> Softplus(AttributeReader& reader) {
  const double beta = reader.Double("beta", 1);
  const double threshold = reader.Double("threshold", 20);
  reader.Require(beta != 0, "argument beta wants a number other than 0");
  return std::make_unique<Activation>(
      Eltwise{.algorithm = Algorithm::kSoftplus, .alpha = beta, .beta = threshold},
      fmt::format("beta={}, threshold={}", beta, threshold));
}

struct Entry {
  std::string_view type;
  Factory make;
};

constexpr std::array kEntries = {
    Entry{"ELU", Elu},
    Entry{"GELU", Gelu},
    Entry{"Hardsigmoid", Plain<Algorithm::kHardsigmoid>},
    Entry{"Hardswish", Plain<Algorithm::kHardswish>},
    Entry{"LeakyReLU", LeakyRelu},
    Entry{"Mish", Plain<Algorithm::kMish>},
    Entry{"ReLU", Plain<Algorithm::kRelu>},
    Entry{"ReLU6", Relu6},
    Entry{"SiLU", Plain<Algorithm::kSilu>},
    Entry{"Sigmoid", Plain<Algorithm::kSigmoid>},
    Entry{"Softplus", Softplus},
    Entry{"Tanh", Plain<Algorithm::kTanh>},
};

}  // namespace

std::span<const std::string_view> ActivationTypes() {
  static const auto types = [] {
    std::array<std::string_view, kEntries.size()> names;
    std::transform(kEntries.begin(), kEntries.end(), names.begin(),
                   [](const Entry& entry) { return entry.type; });
    return names;
  }();
  return types;
}

std::unique_ptr<const Layer> MakeActivation(std::string_view type, AttributeReader& reader) {
  const auto* found = std::find_if(kEntries.begin(), kEntries.end(),
                                   [&](const Entry& entry) { return entry.type == type; });
  LAZYNET_CHECK(found != kEntries.end());
  return found->make(reader);
}

}  // namespace lazynet::nn
