#include "engine/nn/layer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/init/initializers.h"

namespace lazynet::nn {

// Names have no spaces, so that no parameter's key is like these.
backend::ValueId Lowering::Scalar(double value, DType dtype) {
  auto make = [=]() -> absl::StatusOr<Tensor> {
    ASSIGN_OR_RETURN(Tensor scalar, Tensor::Allocate(dtype, Shape()));
    init::Fill(value, scalar.mutable_view());
    return scalar;
  };
  return graph().AddConstant(dtype, Shape(),
                             {fmt::format("scalar {:a} {}", value, Name(dtype)), make});
}

bool Layer::lazy() const {
  return std::any_of(sizes_.begin(), sizes_.end(),
                     [](const SizeSpec& size) { return !size.declared.has_value(); });
}

Sizes Layer::DeclaredSizes() const {
  Sizes sizes;
  for (const SizeSpec& size : sizes_) sizes.push_back(size.declared.value_or(kUnknownDim));
  return sizes;
}

absl::StatusOr<OutputDTypes> Layer::InferDTypes(std::span<const DType> inputs,
                                                DType parameters) const {
  const DType wanted = parameters_.empty() ? inputs.front() : parameters;
  if (!IsFloating(wanted)) return InvalidArgument("wants a floating dtype, got {}", Name(wanted));
  for (const DType got : inputs) {
    if (got != wanted) {
      return InvalidArgument("wants {} {}, got {}",
                             parameters_.empty() ? "all inputs of dtype" : "inputs of its dtype",
                             Name(wanted), Name(got));
    }
  }
  OutputDTypes dtypes;
  dtypes.assign(output_names().size(), wanted);
  return dtypes;
}

std::vector<int> Layer::draw_order() const {
  std::vector<int> order(parameters_.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

int Layer::AddSize(std::string name, std::optional<int64_t> declared) {
  sizes_.push_back({std::move(name), declared});
  return static_cast<int>(sizes_.size()) - 1;
}

int Layer::AddParameter(ParameterSpec spec) {
  parameters_.push_back(std::move(spec));
  return static_cast<int>(parameters_.size()) - 1;
}

absl::Status Layer::Resolve(int index, int64_t got, Sizes& sizes) const {
  const std::string& name = sizes_[static_cast<size_t>(index)].name;
  int64_t& size = sizes[static_cast<size_t>(index)];
  if (got == kUnknownDim) return absl::OkStatus();
  if (got == 0) return InvalidArgument("wants {} of at least 1, got 0", name);
  if (size == kUnknownDim) size = got;
  if (size != got) return InvalidArgument("wants {} {}, got {}", name, size, got);
  return absl::OkStatus();
}

int64_t ReprSize(const Sizes& sizes, int index) {
  return std::max<int64_t>(sizes[static_cast<size_t>(index)], 0);
}

std::string Tuple(std::span<const int64_t> values) {
  if (values.size() == 1) return fmt::format("({},)", values[0]);
  return fmt::format("({})", fmt::join(values, ", "));
}

std::string_view PythonBool(bool value) { return value ? "True" : "False"; }

std::string PythonFloat(double value) {
  std::string text = fmt::format("{}", value);
  const bool plain = text.find_first_not_of("-0123456789") == std::string::npos;
  return plain ? text + ".0" : text;
}

}  // namespace lazynet::nn
