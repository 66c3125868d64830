#include "engine/nn/layers/linear.h"

namespace lazynet::nn {
namespace {

class Linear : public Layer {
 public:
  explicit Linear(AttributeReader& reader)
      : out_features_(reader.RequiredInt("out_features", 1)), bias_(reader.Bool("bias", true)) {
    const int in_features = AddSize("in_features", reader.Size("in_features"));
    AddParameter({.name = "weight",
                  .extents = {Extent::Of(out_features_), Extent::OfSize(in_features)},
                  .initial = {.kind = InitialValue::Kind::kKaimingUniform}});
    if (bias_) {
      AddParameter({.name = "bias",
                    .extents = {Extent::Of(out_features_)},
                    .initial = {.kind = InitialValue::Kind::kFanInUniform}});
    }
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    if (input.rank() < 1) return InvalidArgument("wants a rank of at least 1, got a scalar");
    RETURN_IF_ERROR(Resolve(0, input.dim(-1), sizes));
    Shape output = input;
    output.set_dim(-1, out_features_);
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape input = lowering.shape(lowering.input(0));
    const int64_t in_features = input.dim(-1);
    const int64_t rows = input.num_elements() / in_features;
    Shape output = input;
    output.set_dim(-1, out_features_);
    const bool flat = input.rank() == 2;
    const auto src =
        flat ? lowering.input(0) : lowering.Reshape(lowering.input(0), Shape{rows, in_features});
    const auto dst = lowering.Add(
        backend::InnerProduct{},
        {src, lowering.Parameter(0), bias_ ? lowering.Parameter(1) : backend::kNoValue},
        Shape{rows, out_features_});
    return flat ? dst : lowering.Reshape(dst, output);
  }

  std::string Arguments(const Sizes& sizes) const override {
    return fmt::format("in_features={}, out_features={}, bias={}", ReprSize(sizes, 0),
                       out_features_, PythonBool(bias_));
  }

 private:
  int64_t out_features_;
  bool bias_;
};

}  // namespace

std::unique_ptr<const Layer> MakeLinear(AttributeReader& reader) {
  return std::make_unique<Linear>(reader);
}

}  // namespace lazynet::nn
