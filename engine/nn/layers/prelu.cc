#include "engine/nn/layers/prelu.h"

namespace lazynet::nn {
namespace {

class Prelu : public Layer {
 public:
  explicit Prelu(AttributeReader& reader) {
    const int size = AddSize("num_parameters", reader.SizeOrInput("num_parameters", 1));
    AddParameter({.name = "weight",
                  .extents = {Extent::OfSize(size)},
                  .initial = {.value = reader.Double("init", 0.25)}});
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    const int64_t channels = input.rank() >= 2 ? input.dim(1) : 1;
    if (sizes[0] == kUnknownDim) {
      RETURN_IF_ERROR(Resolve(0, channels, sizes));
    } else if (sizes[0] != 1 && channels != kUnknownDim && sizes[0] != channels) {
      return InvalidArgument("wants {} channels (num_parameters), got {} in shape {}", sizes[0],
                             channels, input.ToString());
    }
    return input;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    return lowering.Add(backend::Prelu{}, {src, lowering.Parameter(0)}, lowering.shape(src));
  }

  std::string Arguments(const Sizes& sizes) const override {
    return fmt::format("num_parameters={}", ReprSize(sizes, 0));
  }
};

}  // namespace

std::unique_ptr<const Layer> MakePrelu(AttributeReader& reader) {
  return std::make_unique<Prelu>(reader);
}

}  // namespace lazynet::nn
