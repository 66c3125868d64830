#include "engine/nn/layers/to.h"

#include <string>

namespace lazynet::nn {
namespace {

class To : public Layer {
 public:
  explicit To(AttributeReader& reader) {
    const std::string name = reader.String("dtype", "");
    const std::optional<DType> dtype = ParseDType(name);
    reader.Require(dtype.has_value(), fmt::format("argument dtype wants a datatype, got {}",
                                                  name.empty() ? "none" : name));
    dtype_ = dtype.value_or(DType::kFp32);
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType>, DType) const override {
    return dtype_;
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return inputs[0];
  }

  OutputValues Lower(Lowering& lowering) const override {
    return lowering.Cast(lowering.input(0), dtype_);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("dtype={}", Name(dtype_));
  }

 private:
  DType dtype_;
};

}  // namespace

std::unique_ptr<const Layer> MakeTo(AttributeReader& reader) {
  return std::make_unique<To>(reader);
}

}  // namespace lazynet::nn
