#include <algorithm>

#include "engine/init/distributions.h"
#include "engine/init/generator.h"
#include "engine/init/initializers.h"
#include "engine/nn/parameter_set.h"

namespace lazynet::nn {

// Gives values to what has none. Draws follow torch.manual_seed(seed), construction of the module,
// load_state_dict, and one forward in eval mode: an eager layer always draws when it is
// constructed, even if loaded values replace the draws; a lazy layer draws at the first forward,
// and only if something of it was not loaded.
class Materializer {
 public:
  Materializer(const Network& network, ParameterSet set)
      : network_(network), set_(std::move(set)) {}

  absl::Status CheckLimits(const MaterializeLimits& limits) const {
    size_t bytes = set_.bytes();
    for (size_t node = 0; node < network_.nodes().size(); ++node) {
      const auto& parameters = network_.nodes()[node].layer->parameters();
      for (size_t i = 0; i < parameters.size(); ++i) {
        if (set_.values_[node][i]) continue;
        const Shape shape = parameters[i].ShapeFor(set_.sizes_[node]);
        const std::string name = network_.nodes()[node].ParameterName(static_cast<int>(i));
        if (absl::Status status = CheckBounds(shape.dims()); !status.ok()) {
          return Annotate(fmt::format("parameter \"{}\"", name), status);
        }
        bytes += ByteSize(Dtype(parameters[i]), shape);
        if (bytes > limits.max_parameter_bytes) {
          return ResourceExhausted(
              "parameter \"{}\" of shape {}: wants at most {} bytes of parameters, got {}", name,
              shape.ToString(), limits.max_parameter_bytes, bytes);
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status DrawAll() {
    init::Generator generator(static_cast<uint64_t>(network_.seed()));
    for (size_t node = 0; node < network_.nodes().size(); ++node) {
      if (!network_.nodes()[node].layer->lazy()) RETURN_IF_ERROR(DrawLayer(node, generator));
    }
    for (const int index : network_.execution_order()) {
      const auto node = static_cast<size_t>(index);
      if (!network_.nodes()[node].layer->lazy()) continue;
      const auto& values = set_.values_[node];
      const bool loaded = std::all_of(values.begin(), values.end(),
                                      [](const auto& value) { return value.has_value(); });
      if (!loaded) RETURN_IF_ERROR(DrawLayer(node, generator));
    }
    return absl::OkStatus();
  }

  void SetSizes(std::vector<Sizes> sizes) { set_.sizes_ = std::move(sizes); }
  ParameterSet Take() { return std::move(set_); }

 private:
  DType Dtype(const ParameterSpec& spec) const { return spec.dtype.value_or(network_.dtype()); }

  absl::Status DrawLayer(size_t node, init::Generator& shared) {
    const Node& drawn = network_.nodes()[node];
    if (network_.draw_order() == DrawOrder::kTorch) return DrawParameters(node, shared);
    init::Generator own(init::LayerSeed(static_cast<uint64_t>(network_.seed()), drawn.name));
    return DrawParameters(node, own);
  }

  absl::Status DrawParameters(size_t node, init::Generator& generator) {
    const auto& parameters = network_.nodes()[node].layer->parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      const ParameterSpec& spec = parameters[i];
      const Shape shape = spec.ShapeFor(set_.sizes_[node]);
      const bool drawn = spec.initial.kind != InitialValue::Kind::kConstant;
      if (set_.values_[node][i]) {
        if (drawn) generator.Discard(WordsOf(Dtype(spec), shape));
        continue;
      }
      ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(Dtype(spec), shape));
      if (drawn) {
        const double bound = Bound(parameters, spec, set_.sizes_[node]);
        init::Uniform(generator, -bound, bound, tensor.mutable_view());
      } else {
        init::Fill(spec.initial.value, tensor.mutable_view());
      }
      set_.values_[node][i] = {std::move(tensor), Origin::kInitializer};
    }
    return absl::OkStatus();
  }

  static double Bound(const std::vector<ParameterSpec>& parameters, const ParameterSpec& spec,
                      const Sizes& sizes) {
    const auto& weight = parameters[static_cast<size_t>(spec.initial.fan_in_of)];
    const int64_t fan_in = init::FanIn(weight.ShapeFor(sizes));
    return spec.initial.kind == InitialValue::Kind::kKaimingUniform
               ? init::KaimingUniformBound(fan_in)
               : init::FanInUniformBound(fan_in);
  }

  static uint64_t WordsOf(DType dtype, const Shape& shape) {
    return static_cast<uint64_t>(shape.num_elements()) * (dtype == DType::kFp64 ? 2 : 1);
  }

  const Network& network_;
  ParameterSet set_;
};

namespace {

absl::StatusOr<ParameterSet> Draw(Materializer materializer, const MaterializeLimits& limits) {
  RETURN_IF_ERROR(materializer.CheckLimits(limits));
  RETURN_IF_ERROR(materializer.DrawAll());
  return materializer.Take();
}

}  // namespace

absl::StatusOr<ParameterSet> Materialize(const Network& network, const ParameterSet& set,
                                         std::span<const Shape> input_shapes,
                                         const MaterializeLimits& limits) {
  ASSIGN_OR_RETURN(Inference inference, network.Infer(input_shapes, set.sizes()));
  Materializer materializer(network, set);
  materializer.SetSizes(std::move(inference.sizes));
  return Draw(std::move(materializer), limits);
}

absl::StatusOr<ParameterSet> MaterializeKnown(const Network& network, const ParameterSet& set,
                                              const MaterializeLimits& limits) {
  if (!set.sizes_known()) return FailedPrecondition("some lazy sizes are not known yet");
  return Draw(Materializer(network, set), limits);
}

}  // namespace lazynet::nn
