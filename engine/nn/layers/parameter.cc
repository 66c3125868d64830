#include "engine/nn/layers/parameter.h"

#include <algorithm>
#include <string>

namespace lazynet::nn {
namespace {

class Parameter : public Layer {
 public:
  explicit Parameter(AttributeReader& reader) {
    const auto dims = reader.Dims("shape", {});
    reader.Require(std::find(dims.begin(), dims.end(), kUnknownDim) == dims.end(),
                   "argument shape wants dims of at least 1, got -1");
    shape_ = Shape(std::span<const int64_t>(dims));
    ParameterSpec spec{.name = ""};
    for (const int64_t dim : dims) spec.extents.push_back(Extent::Of(dim));
    if (const std::string name = reader.String("datatype", ""); !name.empty()) {
      spec.dtype = ParseDType(name);
      reader.Require(
          spec.dtype && !IsFloating(*spec.dtype),
          "argument datatype wants BOOL or an integer datatype (the layer's dtype is for "
          "floating ones), got " +
              name);
    }
    spec.buffer = spec.dtype.has_value();
    AddParameter(spec);
  }

  Arity arity() const override { return {.least = 0, .most = 0}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType>, DType dtype) const override {
    return parameters()[0].dtype.value_or(dtype);
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape>, Sizes&) const override {
    return shape_;
  }

  OutputValues Lower(Lowering& lowering) const override { return lowering.Parameter(0); }

  std::string Arguments(const Sizes&) const override { return "shape=" + Tuple(shape_.dims()); }

 private:
  Shape shape_;
};

}  // namespace

std::unique_ptr<const Layer> MakeParameter(AttributeReader& reader) {
  return std::make_unique<Parameter>(reader);
}

}  // namespace lazynet::nn
