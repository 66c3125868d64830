#include <algorithm>
#include <map>

#include "engine/core/float16.h"
#include "engine/nn/parameter_set.h"

namespace lazynet::nn {
namespace {

double Read(const Tensor& tensor, size_t i) {
  switch (tensor.dtype()) {
    case DType::kFp16:
      return HalfToFloat(reinterpret_cast<const uint16_t*>(tensor.data())[i]);
    case DType::kBf16:
      return Bfloat16ToFloat(reinterpret_cast<const uint16_t*>(tensor.data())[i]);
    case DType::kFp32:
      return tensor.values<float>()[i];
    default:
      return tensor.values<double>()[i];
  }
}

template <typename T>
void ConvertTo(const Tensor& from, std::span<T> to) {
  for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<T>(Read(from, i));
}

// The tensor itself when it has the dtype already, so that a mapped file is not copied.
absl::StatusOr<Tensor> Converted(const Tensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return tensor;
  if (!IsFloating(tensor.dtype()) || !IsFloating(dtype)) {
    return InvalidArgument("wants dtype {}, got {}", Name(dtype), Name(tensor.dtype()));
  }
  ASSIGN_OR_RETURN(Tensor converted, Tensor::Allocate(dtype, tensor.shape()));
  if (dtype == DType::kFp32) {
    ConvertTo(tensor, converted.mutable_view().values<float>());
  } else {
    ConvertTo(tensor, converted.mutable_view().values<double>());
  }
  return converted;
}

std::string ShapeText(const ParameterSpec& spec, const Sizes& sizes) {
  return spec.ShapeFor(sizes).ToString();
}

// Checks a loaded shape against what is known and takes over the sizes that it tells.
absl::Status AdoptShape(const Layer& layer, const ParameterSpec& spec, const Shape& shape,
                        Sizes& sizes) {
  bool fits = shape.rank() == static_cast<int>(spec.extents.size());
  for (int axis = 0; fits && axis < shape.rank(); ++axis) {
    const Extent& extent = spec.extents[static_cast<size_t>(axis)];
    const int64_t known = extent.Value(sizes);
    fits = shape.dim(axis) > 0 && (known == kUnknownDim || known == shape.dim(axis));
  }
  if (!fits)
    return InvalidArgument("wants shape {}, got {}", ShapeText(spec, sizes), shape.ToString());
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const Extent& extent = spec.extents[static_cast<size_t>(axis)];
    if (extent.size < 0) continue;
    int64_t& size = sizes[static_cast<size_t>(extent.size)];
    const int64_t told = shape.dim(axis) * extent.divisor;
    if (size != kUnknownDim && size != told) {
      return InvalidArgument("wants {} {}, got {}",
                             layer.sizes()[static_cast<size_t>(extent.size)].name, size, told);
    }
    size = told;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParameterSet> LoadStateDict(
    const Network& network, const ParameterSet& set,
    std::span<const std::pair<std::string, Tensor>> state_dict) {
  std::map<std::string, std::pair<int, int>> places;
  for (size_t node = 0; node < network.nodes().size(); ++node) {
    const size_t count = network.nodes()[node].layer->parameters().size();
    for (size_t parameter = 0; parameter < count; ++parameter) {
      places[network.nodes()[node].ParameterName(static_cast<int>(parameter))] = {
          static_cast<int>(node), static_cast<int>(parameter)};
    }
  }
  ParameterSet loaded = set;
  for (const auto& [key, tensor] : state_dict) {
    const auto place = places.find(key);
    if (place == places.end()) {
      return InvalidArgument("checkpoint key \"{}\": the network has no such parameter", key);
    }
    const auto node = static_cast<size_t>(place->second.first);
    const auto parameter = static_cast<size_t>(place->second.second);
    const Layer& layer = *network.nodes()[node].layer;
    const ParameterSpec& spec = layer.parameters()[parameter];
    absl::Status status = AdoptShape(layer, spec, tensor.shape(), loaded.sizes_[node]);
    absl::StatusOr<Tensor> converted = tensor;
    if (status.ok()) {
      converted = Converted(tensor, spec.dtype.value_or(network.dtype()));
      status = converted.status();
    }
    if (!status.ok()) return Annotate(fmt::format("checkpoint key \"{}\"", key), status);
    loaded.values_[node][parameter] = {*std::move(converted), Origin::kCheckpoint};
  }
  return loaded;
}

}  // namespace lazynet::nn
