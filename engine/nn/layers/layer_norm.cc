#include "engine/nn/layers/layer_norm.h"

#include <optional>
#include <string>

namespace lazynet::nn {
namespace {

// The distance from 1 to the next number.
double MachineEpsilon(DType dtype) {
  switch (dtype) {
    case DType::kFp64:
      return 0x1p-52;
    case DType::kFp16:
      return 0x1p-10;
    case DType::kBf16:
      return 0x1p-7;
    default:
      return 0x1p-23;
  }
}

class LayerNorm : public Layer {
 public:
  LayerNorm(bool rms, AttributeReader& reader)
      : rms_(rms),
        normalized_shape_(reader.Dims("normalized_shape", {kUnknownDim})),
        affine_(reader.Bool("elementwise_affine", true)) {
    if (reader.Has("eps") || !rms) eps_ = reader.Double("eps", 1e-5);
    reader.Require(eps_.value_or(0) >= 0,
                   fmt::format("argument eps wants at least 0, got {}", eps_.value_or(0)));
    const bool bias = !rms && reader.Bool("bias", true);
    ParameterSpec weight{.name = "weight", .initial = {.value = 1}};
    for (size_t i = 0; i < normalized_shape_.size(); ++i) {
      const int64_t dim = normalized_shape_[i];
      // Without parameters nothing depends on a size that is not given.
      if (!affine_ && dim == kUnknownDim) continue;
      const std::string name = normalized_shape_.size() == 1
                                   ? "normalized_shape"
                                   : fmt::format("normalized_shape[{}]", i);
      const int size =
          AddSize(name, dim == kUnknownDim ? std::nullopt : std::optional<int64_t>(dim));
      axis_of_size_.push_back(static_cast<int>(i) - static_cast<int>(normalized_shape_.size()));
      weight.extents.push_back(Extent::OfSize(size));
    }
    if (!affine_) return;
    ParameterSpec shift = weight;
    AddParameter(std::move(weight));
    shift.name = "bias";
    shift.initial.value = 0;
    if (bias) AddParameter(std::move(shift));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    if (input.rank() < rank()) {
      return InvalidArgument("wants a rank of at least {}, got shape {}", rank(), input.ToString());
    }
    Shape output = input;
    for (size_t i = 0; i < axis_of_size_.size(); ++i) {
      RETURN_IF_ERROR(Resolve(static_cast<int>(i), input.dim(axis_of_size_[i]), sizes));
      output.set_dim(axis_of_size_[i], sizes[i]);
    }
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    const Shape shape = lowering.shape(src);
    int64_t width = 1;
    for (int axis = -rank(); axis < 0; ++axis) width *= shape.dim(axis);
    const Shape rows{width == 0 ? 0 : shape.num_elements() / width, width};
    const auto parameter = [&](size_t index) {
      if (index >= parameters().size()) return backend::kNoValue;
      return lowering.ParameterPart(static_cast<int>(index), 0, shape.dim(-rank()), Shape{width});
    };
    const double eps = eps_ ? *eps_ : MachineEpsilon(lowering.dtype());
    const auto dst = lowering.Add(backend::LayerNormalization{.eps = eps, .rms = rms_},
                                  {lowering.Reshape(src, rows), parameter(0), parameter(1)}, rows);
    return lowering.Reshape(dst, shape);
  }

  std::string Arguments(const Sizes& sizes) const override {
    std::vector<int64_t> dims;
    size_t next = 0;
    for (const int64_t dim : normalized_shape_) {
      const bool sized = affine_ || dim != kUnknownDim;
      dims.push_back(sized ? ReprSize(sizes, static_cast<int>(next++)) : 0);
    }
    return fmt::format("{}, eps={}, elementwise_affine={}", Tuple(dims),
                       eps_ ? PythonFloat(*eps_) : "None", PythonBool(affine_));
  }

 private:
  int rank() const { return static_cast<int>(normalized_shape_.size()); }

  bool rms_;
  std::vector<int64_t> normalized_shape_;  // as given, kUnknownDim where lazy
  bool affine_;
  std::optional<double> eps_;
  std::vector<int> axis_of_size_;  // counted from the end
};

}  // namespace

std::unique_ptr<const Layer> MakeLayerNorm(AttributeReader& reader) {
  return std::make_unique<LayerNorm>(false, reader);
}

std::unique_ptr<const Layer> MakeRmsNorm(AttributeReader& reader) {
  return std::make_unique<LayerNorm>(true, reader);
}

}  // namespace lazynet::nn
