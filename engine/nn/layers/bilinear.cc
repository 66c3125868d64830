#include "engine/nn/layers/bilinear.h"

#include "engine/nn/fitting.h"

namespace lazynet::nn {
namespace {

class Bilinear : public Layer {
 public:
  explicit Bilinear(AttributeReader& reader)
      : out_features_(reader.RequiredInt("out_features", 1)), bias_(reader.Bool("bias", true)) {
    const int in1 = AddSize("in1_features", reader.Size("in1_features"));
    const int in2 = AddSize("in2_features", reader.Size("in2_features"));
    AddParameter({.name = "weight",
                  .extents = {Extent::Of(out_features_), Extent::OfSize(in1), Extent::OfSize(in2)},
                  .initial = {.kind = InitialValue::Kind::kFeatureUniform}});
    if (bias_) {
      AddParameter({.name = "bias",
                    .extents = {Extent::Of(out_features_)},
                    .initial = {.kind = InitialValue::Kind::kFeatureUniform}});
    }
  }

  Arity arity() const override { return {.least = 2, .most = 2}; }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& left = inputs[0];
    const Shape& right = inputs[1];
    bool fits = left.rank() == right.rank() && left.rank() >= 1;
    Shape output = left;
    for (int axis = 0; fits && axis < left.rank() - 1; ++axis) {
      if (left.dim(axis) == kUnknownDim) output.set_dim(axis, right.dim(axis));
      fits = MayEqual(left.dim(axis), right.dim(axis));
    }
    if (!fits) {
      return InvalidArgument("wants shapes that agree but for the last dim, got {} and {}",
                             left.ToString(), right.ToString());
    }
    RETURN_IF_ERROR(Resolve(0, left.dim(-1), sizes));
    RETURN_IF_ERROR(Resolve(1, right.dim(-1), sizes));
    output.set_dim(-1, out_features_);
    return output;
  }

  // x2 by all W_o as one product, then x1 by the rows of each item.
  OutputValues Lower(Lowering& lowering) const override {
    Shape output = lowering.shape(lowering.input(0));
    const int64_t in1 = output.dim(-1);
    const int64_t in2 = lowering.shape(lowering.input(1)).dim(-1);
    const int64_t rows = output.num_elements() / in1;
    output.set_dim(-1, out_features_);
    const auto weight =
        lowering.ParameterPart(0, 0, out_features_, Shape{out_features_ * in1, in2});
    const auto right = lowering.Add(
        backend::InnerProduct{},
        {lowering.Reshape(lowering.input(1), Shape{rows, in2}), weight, backend::kNoValue},
        Shape{rows, out_features_ * in1});
    auto dst = lowering.Add(backend::MatMul{},
                            {lowering.Reshape(right, Shape{rows, out_features_, in1}),
                             lowering.Reshape(lowering.input(0), Shape{rows, in1, 1})},
                            Shape{rows, out_features_, 1});
    dst = lowering.Reshape(dst, Shape{rows, out_features_});
    if (bias_) {
      dst = lowering.Add(backend::Binary{backend::Binary::Algorithm::kAdd},
                         {dst, lowering.Parameter(1)}, Shape{rows, out_features_});
    }
    return lowering.Reshape(dst, output);
  }

  std::string Arguments(const Sizes& sizes) const override {
    return fmt::format("in1_features={}, in2_features={}, out_features={}, bias={}",
                       ReprSize(sizes, 0), ReprSize(sizes, 1), out_features_, PythonBool(bias_));
  }

 private:
  int64_t out_features_;
  bool bias_;
};

}  // namespace

std::unique_ptr<const Layer> MakeBilinear(AttributeReader& reader) {
  return std::make_unique<Bilinear>(reader);
}

}  // namespace lazynet::nn
