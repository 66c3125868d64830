#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "engine/core/convert.h"
#include "engine/nn/parameter_set.h"

namespace lazynet::nn {
namespace {

// PyTorch fills it in when a state dict has no version, and no file has one.
constexpr std::string_view kBatchCounter = "num_batches_tracked";

// Keys that an error names before it only counts them.
constexpr size_t kMaxNamed = 8;

absl::StatusOr<Tensor> InDType(const Tensor& tensor, DType dtype, bool& exact) {
  ASSIGN_OR_RETURN(Tensor converted, Converted(tensor, dtype, &exact));
  const bool counts = !IsFloating(dtype) && exact;
  if (tensor.dtype() == dtype || counts || (IsFloating(tensor.dtype()) && IsFloating(dtype))) {
    return converted;
  }
  return InvalidArgument("wants dtype {}, got {}", Name(dtype), Name(tensor.dtype()));
}

// Checks a loaded shape against what is known and takes over the sizes that it tells.
absl::Status AdoptShape(const Layer& layer, const ParameterSpec& spec, const Shape& shape,
                        Sizes& sizes) {
  bool fits = shape.rank() == static_cast<int>(spec.extents.size());
  for (int axis = 0; fits && axis < shape.rank(); ++axis) {
    const Extent& extent = spec.extents[static_cast<size_t>(axis)];
    const int64_t known = extent.Value(sizes);
    fits = shape.dim(axis) > 0 && shape.dim(axis) % extent.factor == 0 &&
           (known == kUnknownDim || known == shape.dim(axis));
  }
  if (!fits) {
    return InvalidArgument("wants shape {}, got {}", spec.ShapeFor(sizes).ToString(),
                           shape.ToString());
  }
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const Extent& extent = spec.extents[static_cast<size_t>(axis)];
    if (extent.size < 0) continue;
    int64_t& size = sizes[static_cast<size_t>(extent.size)];
    const int64_t told = shape.dim(axis) * extent.divisor / extent.factor;
    if (size != kUnknownDim && size != told) {
      return InvalidArgument("wants {} {}, got {}",
                             layer.sizes()[static_cast<size_t>(extent.size)].name, size, told);
    }
    size = told;
  }
  return absl::OkStatus();
}

}  // namespace

class StateDictLoader {
 public:
  StateDictLoader(const Network& network, ParameterSet set, const LoadOptions& options,
                  LoadReport& report)
      : network_(network), set_(std::move(set)), options_(options), report_(report) {
    for (size_t node = 0; node < network.nodes().size(); ++node) {
      const int count = static_cast<int>(network.nodes()[node].parameters().size());
      for (int parameter = 0; parameter < count; ++parameter) {
        places_[network.nodes()[node].ParameterName(parameter)] = {static_cast<int>(node),
                                                                   parameter};
      }
    }
  }

  absl::StatusOr<ParameterSet> Load(std::span<const StateDictEntry> state_dict) {
    std::set<std::string_view> seen;
    for (const auto& [key, tensor] : state_dict) {
      const auto place = places_.find(key);
      absl::Status status;
      if (!seen.insert(key).second) {
        status = InvalidArgument("is there twice");
      } else if (place == places_.end()) {
        report_.unexpected.push_back(key);
      } else {
        status = Take(place->second, key, tensor);
      }
      if (!status.ok()) report_.mismatched.push_back({key, std::string(Message(status))});
    }
    for (size_t node = 0; node < network_.nodes().size(); ++node) {
      const auto specs = network_.nodes()[node].parameters();
      for (size_t i = 0; i < specs.size(); ++i) {
        const std::string key = network_.nodes()[node].ParameterName(static_cast<int>(i));
        const bool has_value = set_.values_[node][i] || set_.drawn_again_;
        if (seen.contains(key) || has_value || specs[i].name == kBatchCounter) continue;
        report_.missing.push_back(key);
      }
    }
    RETURN_IF_ERROR(Problems());
    auto implied = network_.Imply(set_.sizes_);
    if (!implied.ok()) return Annotate("checkpoint", implied.status());
    set_.sizes_ = *std::move(implied);
    return std::move(set_);
  }

 private:
  using Place = std::pair<int, int>;  // node, parameter

  absl::Status Take(Place place, const std::string& key, const std::optional<Tensor>& tensor) {
    const auto node = static_cast<size_t>(place.first);
    const auto parameter = static_cast<size_t>(place.second);
    std::optional<ParameterValue>& value = set_.values_[node][parameter];
    if (!tensor) {
      if (!value && !set_.drawn_again_) return absl::OkStatus();
      return InvalidArgument("wants a value, since the network has one, got none (uninitialized)");
    }
    const Layer& layer = *network_.nodes()[node].layer;
    const ParameterSpec& spec = layer.parameters()[parameter];
    const bool single = spec.extents.empty() && tensor->shape() == Shape{1};
    const Tensor shaped = single ? Tensor::Wrap(tensor->dtype(), Shape{},
                                                std::make_shared<Tensor>(*tensor), tensor->data())
                                 : *tensor;
    Sizes sizes = set_.sizes_[node];
    RETURN_IF_ERROR(AdoptShape(layer, spec, shaped.shape(), sizes));
    bool exact = true;
    ASSIGN_OR_RETURN(Tensor converted,
                     InDType(shaped, network_.nodes()[node].ParameterDType(place.second), exact));
    if (!exact) report_.lossy.push_back(key);
    set_.sizes_[node] = std::move(sizes);
    value = {std::move(converted), options_.origin};
    return absl::OkStatus();
  }

  // Everything that is wrong, as one error.
  absl::Status Problems() const {
    std::vector<std::string> problems;
    for (const auto& [key, problem] : report_.mismatched) {
      problems.push_back(fmt::format("checkpoint key \"{}\": {}", key, problem));
    }
    if (!options_.allow_unexpected) {
      for (const std::string& key : report_.unexpected) {
        problems.push_back(
            fmt::format("checkpoint key \"{}\": the network has no such parameter", key));
      }
    }
    if (!options_.allow_missing) {
      for (const std::string& key : report_.missing) {
        problems.push_back(fmt::format("checkpoint key \"{}\" is missing", key));
      }
    }
    if (problems.empty()) return absl::OkStatus();
    std::string text;
    for (size_t i = 0; i < std::min(problems.size(), kMaxNamed); ++i) {
      text += (i == 0 ? "" : "; ") + problems[i];
    }
    if (problems.size() > kMaxNamed) {
      text += fmt::format("; and {} more", problems.size() - kMaxNamed);
    }
    return absl::InvalidArgumentError(text);
  }

  const Network& network_;
  ParameterSet set_;
  const LoadOptions& options_;
  LoadReport& report_;
  std::map<std::string, Place> places_;
};

absl::StatusOr<ParameterSet> LoadStateDict(const Network& network, const ParameterSet& set,
                                           std::span<const StateDictEntry> state_dict,
                                           const LoadOptions& options, LoadReport* report) {
  LoadReport own;
  return StateDictLoader(network, set, options, report != nullptr ? *report : own).Load(state_dict);
}

}  // namespace lazynet::nn
