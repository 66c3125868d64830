#include <algorithm>

#include "engine/backend/threads.h"
#include "engine/core/convert.h"
#include "engine/init/generator.h"
#include "engine/init/initializers.h"
#include "engine/init/named_initializers.h"
#include "engine/nn/parameter_set.h"

namespace lazynet::nn {

// Gives values to what has none. Draws follow torch.manual_seed(seed), construction of the module,
// load_state_dict, and one forward in eval mode: an eager layer always draws when it is
// constructed, even if loaded values replace the draws; a lazy layer draws at the first forward,
// and only if something of it was not loaded.
class Materializer {
 public:
  Materializer(const Network& network, ParameterSet set, int threads)
      : network_(network), set_(std::move(set)), threads_(threads) {}

  // Before the first draw, which may be far from the last.
  absl::Status CheckInitializers() const {
    for (size_t at = 0; at < network_.nodes().size(); ++at) {
      const Node& node = network_.nodes()[at];
      if (node.again) continue;
      for (size_t i = 0; i < node.initializers.size(); ++i) {
        if (!node.initializers[i]) continue;
        const Shape shape = node.parameters()[i].ShapeFor(set_.sizes_[at]);
        absl::Status status =
            init::CheckInitializer(*node.initializers[i], node.drawn_dtype, shape);
        if (!status.ok()) return AtParameter(node, static_cast<int>(i), status);
      }
    }
    return absl::OkStatus();
  }

  absl::Status DrawAll(init::Generator* stream) {
    init::Generator own(static_cast<uint64_t>(network_.seed()));
    init::Generator& generator = stream != nullptr ? *stream : own;
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
    return RunDraws();
  }

  void SetSizes(std::vector<Sizes> sizes) { set_.sizes_ = std::move(sizes); }
  ParameterSet Take() { return std::move(set_); }

 private:
  // A parameter whose place in the stream is known.
  struct Draw {
    init::Generator generator;
    init::Initializer initializer;
    size_t node;
    int index;
  };

  // From so many elements on, drawing takes longer than to skip the words and draw them elsewhere;
  // and the generators that wait are little beside what they draw.
  static constexpr int64_t kDrawElements = 16384;

  absl::Status RunDraws() {
    const auto run = [&](int64_t i, size_t) {
      Draw& draw = draws_[static_cast<size_t>(i)];
      absl::Status status = DrawNow(draw.node, draw.index, draw.initializer, draw.generator);
      return status.ok() ? status : AtParameter(network_.nodes()[draw.node], draw.index, status);
    };
    return backend::ForEachInParallel(threads_, static_cast<int64_t>(draws_.size()), run);
  }

  static absl::Status AtParameter(const Node& node, int index, const absl::Status& status) {
    return Annotate(fmt::format("parameter \"{}\"", node.ParameterName(index)), status);
  }

  absl::Status DrawLayer(size_t node, init::Generator& shared) {
    const Node& drawn = network_.nodes()[node];
    if (drawn.again) return absl::OkStatus();
    if (network_.draw_order() == DrawOrder::kTorch) return DrawParameters(node, shared);
    init::Generator own(init::LayerSeed(static_cast<uint64_t>(network_.seed()), drawn.name));
    return DrawParameters(node, own);
  }

  absl::Status DrawParameters(size_t node, init::Generator& generator) {
    const Node& drawn = network_.nodes()[node];
    for (const int index : drawn.layer->draw_order()) {
      const absl::Status status = DrawParameter(node, index, generator);
      if (!status.ok()) return AtParameter(drawn, index, status);
    }
    return absl::OkStatus();
  }

  // A value that was loaded stays, but the stream moves all the same.
  absl::Status DrawParameter(size_t node_index, int index, init::Generator& generator) {
    const Node& node = network_.nodes()[node_index];
    const Sizes& sizes = set_.sizes_[node_index];
    const auto at = static_cast<size_t>(index);
    std::optional<ParameterValue>& value = set_.values_[node_index][at];
    const ParameterSpec& spec = node.parameters()[at];
    const bool given = !node.initializers.empty() && node.initializers[at].has_value();
    const DType dtype = spec.dtype.value_or(node.drawn_dtype);
    const Shape shape = spec.ShapeFor(sizes);
    // Counters: no floating initializer draws those.
    if (spec.dtype) {
      if (value) return absl::OkStatus();
      ASSIGN_OR_RETURN(Tensor counter, Tensor::Allocate(dtype, shape));
      init::Fill(spec.initial.value, counter.mutable_view());
      value = {std::move(counter), Origin::kInitializer};
      return absl::OkStatus();
    }
    const init::Initializer initializer =
        given ? *node.initializers[at] : Default(node.parameters(), spec.initial, sizes);
    if (value) return init::SkipInitializer(initializer, generator, dtype, shape);
    if (threads_ == 1 || shape.num_elements() < kDrawElements) {
      return DrawNow(node_index, index, initializer, generator);
    }
    draws_.push_back({generator, initializer, node_index, index});
    return init::SkipInitializer(initializer, generator, dtype, shape);
  }

  absl::Status DrawNow(size_t node_index, int index, const init::Initializer& initializer,
                       init::Generator& generator) {
    const Node& node = network_.nodes()[node_index];
    const auto at = static_cast<size_t>(index);
    const ParameterSpec& spec = node.parameters()[at];
    const bool given = !node.initializers.empty() && node.initializers[at].has_value();
    const Shape shape = spec.ShapeFor(set_.sizes_[node_index]);
    ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(node.drawn_dtype, shape));
    const MutableTensorView view = tensor.mutable_view();
    RETURN_IF_ERROR(init::Initialize(initializer, generator, view));
    if (!given && spec.initial.zeroed) init::Fill(0, view);
    if (!given && spec.initial.zero_row >= 0) {
      const size_t row = view.bytes() / static_cast<size_t>(shape.dim(0));
      std::fill_n(view.data + row * static_cast<size_t>(spec.initial.zero_row), row, std::byte{0});
    }
    ASSIGN_OR_RETURN(tensor, Converted(tensor, node.ParameterDType(index)));
    set_.values_[node_index][at] = {std::move(tensor), Origin::kInitializer};
    return absl::OkStatus();
  }

  static init::Initializer Default(std::span<const ParameterSpec> parameters,
                                   const InitialValue& initial, const Sizes& sizes) {
    if (initial.kind == InitialValue::Kind::kConstant) {
      return init::ConstantInitializer{initial.value};
    }
    if (initial.kind == InitialValue::Kind::kNormal) return init::NormalInitializer{};
    if (initial.kind == InitialValue::Kind::kXavierNormal) return init::XavierNormalInitializer{};
    const double bound = Bound(parameters, initial, sizes);
    return init::UniformInitializer{-bound, bound};
  }

  static double Bound(std::span<const ParameterSpec> parameters, const InitialValue& initial,
                      const Sizes& sizes) {
    if (initial.kind == InitialValue::Kind::kUniform) return initial.value;
    const Shape weight = parameters[static_cast<size_t>(initial.fan_in_of)].ShapeFor(sizes);
    switch (initial.kind) {
      case InitialValue::Kind::kKaimingUniform:
        return init::KaimingUniformBound(init::FanIn(weight));
      case InitialValue::Kind::kFeatureUniform:
        return init::FanInUniformBound(weight.dim(1));
      case InitialValue::Kind::kXavierUniform:
        return init::UniformBound(init::XavierStd(1.0, init::FanIn(weight), init::FanOut(weight)));
      default:
        return init::FanInUniformBound(init::FanIn(weight));
    }
  }

  const Network& network_;
  ParameterSet set_;
  const int threads_;
  std::vector<Draw> draws_;  // in the order of the stream
};

namespace {

absl::StatusOr<ParameterSet> DrawWith(Materializer materializer, init::Generator* stream) {
  RETURN_IF_ERROR(materializer.CheckInitializers());
  RETURN_IF_ERROR(materializer.DrawAll(stream));
  return materializer.Take();
}

}  // namespace

absl::StatusOr<size_t> ParameterBytes(const Network& network, const ParameterSet& set,
                                      const std::vector<Sizes>& sizes,
                                      const MaterializeOptions& options) {
  size_t bytes = set.bytes();
  for (size_t node = 0; node < network.nodes().size(); ++node) {
    const Node& owner = network.nodes()[node];
    const int count = static_cast<int>(owner.parameters().size());
    for (int i = 0; i < count; ++i) {
      if (set.value(static_cast<int>(node), i)) continue;
      const Shape shape = owner.parameters()[static_cast<size_t>(i)].ShapeFor(sizes[node]);
      if (absl::Status status = CheckBounds(shape.dims()); !status.ok()) {
        return Annotate(fmt::format("parameter \"{}\"", owner.ParameterName(i)), status);
      }
      bytes += ByteSize(owner.ParameterDType(i), shape);
      if (bytes > options.max_parameter_bytes) {
        return ResourceExhausted(
            "parameter \"{}\" of shape {}: wants at most {} bytes of parameters, got {}",
            owner.ParameterName(i), shape.ToString(), options.max_parameter_bytes, bytes);
      }
    }
  }
  return bytes;
}

absl::StatusOr<ParameterSet> Materialize(const Network& network, const ParameterSet& set,
                                         std::span<const Shape> input_shapes,
                                         const MaterializeOptions& options,
                                         init::Generator* stream) {
  ASSIGN_OR_RETURN(Inference inference, network.Infer(input_shapes, set.sizes()));
  RETURN_IF_ERROR(ParameterBytes(network, set, inference.sizes, options).status());
  Materializer materializer(network, set, options.threads);
  materializer.SetSizes(std::move(inference.sizes));
  return DrawWith(std::move(materializer), stream);
}

absl::StatusOr<ParameterSet> MaterializeKnown(const Network& network, const ParameterSet& set,
                                              const MaterializeOptions& options) {
  if (!set.sizes_known()) return FailedPrecondition("some lazy sizes are not known yet");
  RETURN_IF_ERROR(ParameterBytes(network, set, set.sizes(), options).status());
  return DrawWith(Materializer(network, set, options.threads), nullptr);
}

}  // namespace lazynet::nn
