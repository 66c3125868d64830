#include "engine/nn/layers/prelu.h"

namespace lazynet::nn {
namespace {

class Prelu : public Layer {
 public:
  explicit Prelu(AttributeReader& reader)
      : num_parameters_(reader.Has("num_parameters") ? reader.RequiredInt("num_parameters", 1)
                                                     : 1) {
    AddParameter({.name = "weight",
                  .extents = {Extent::Of(num_parameters_)},
                  .initial = {.value = reader.Double("init", 0.25)}});
  }

  absl::StatusOr<Shape> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& input = inputs[0];
    const int64_t channels = input.rank() >= 2 ? input.dim(1) : 1;
    if (num_parameters_ != 1 && num_parameters_ != channels) {
      return InvalidArgument("wants {} channels (num_parameters), got {} in shape {}",
                             num_parameters_, channels, input.ToString());
    }
    return input;
  }

  backend::ValueId Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    return lowering.Add(backend::Prelu{}, {src, lowering.Parameter(0)}, lowering.shape(src));
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("num_parameters={}", num_parameters_);
  }

 private:
  int64_t num_parameters_;
};

}  // namespace

std::unique_ptr<const Layer> MakePrelu(AttributeReader& reader) {
  return std::make_unique<Prelu>(reader);
}

}  // namespace lazynet::nn
