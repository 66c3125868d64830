#include "service/hosting/parameter_maker.h"

#include <algorithm>

#include "service/hosting/network_parameters.h"

namespace lazynet::hosting {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

metrics::MaterializationSource ForMetrics(Binding::Source source) {
  switch (source) {
    case Binding::Source::kFirstRequest:
      return metrics::MaterializationSource::kFirstRequest;
    case Binding::Source::kAdmin:
      return metrics::MaterializationSource::kAdmin;
    case Binding::Source::kAtLoad:
      return metrics::MaterializationSource::kAtLoad;
    case Binding::Source::kCheckpoint:
      return metrics::MaterializationSource::kCheckpoint;
    case Binding::Source::kClient:
      return metrics::MaterializationSource::kClient;
    case Binding::Source::kDefinition:
      return metrics::MaterializationSource::kDefinition;
    case Binding::Source::kWarmUp:
      return metrics::MaterializationSource::kWarmUp;
  }
  return metrics::MaterializationSource::kDefinition;
}

size_t NewBytes(const nn::Network& network, const nn::ParameterSet& set,
                const nn::ParameterSet* before) {
  size_t bytes = 0;
  ForEachParameter(network, [&](int node, int i) {
    const auto& value = set.value(node, i);
    if (!value || value->tensor.mapped()) return;
    const bool is_there = before != nullptr && before->value(node, i) &&
                          before->value(node, i)->tensor.data() == value->tensor.data();
    if (!is_there) bytes += value->tensor.bytes();
  });
  return bytes;
}

ParameterMaker::Known ParameterMaker::Counted(nn::ParameterSet set) const {
  struct Holder {
    nn::ParameterSet set;
    MemoryBudget::Shares shares;  // gone before the set
  };
  auto holder = std::make_shared<Holder>(Holder{std::move(set), {}});
  holder->shares = environment_.budget.Hold(holder->set);
  return {holder, &holder->set};
}

nn::MaterializeOptions ParameterMaker::Options() const {
  nn::MaterializeOptions options = environment_.options.materialize;
  options.max_parameter_bytes =
      std::min(options.max_parameter_bytes, definition_.serving.max_parameter_bytes);
  return options;
}

std::shared_ptr<BoundNetwork> ParameterMaker::MakeBound(nn::ParameterSet set,
                                                        const Binding& binding) const {
  const HostingOptions& options = environment_.options;
  const size_t plans_per_shape = options.wide_threads > 1 ? 2 : 1;
  return std::make_shared<BoundNetwork>(std::move(set), binding, environment_.budget, asking_,
                                        environment_.plans,
                                        options.shapes_per_network * plans_per_shape, probe_);
}

absl::StatusOr<std::shared_ptr<BoundNetwork>> ParameterMaker::Materialized(
    const nn::ParameterSet& known, std::optional<std::vector<Shape>> input_shapes, Binding binding,
    metrics::MaterializationSource source) const {
  const auto start = Clock::now();
  const nn::MaterializeOptions options = Options();
  const auto make = [&]() -> absl::StatusOr<std::shared_ptr<BoundNetwork>> {
    std::vector<nn::Sizes> sizes = known.sizes();
    if (input_shapes) {
      ASSIGN_OR_RETURN(nn::Inference inference, network().Infer(*input_shapes, sizes));
      sizes = std::move(inference.sizes);
    }
    ASSIGN_OR_RETURN(const size_t bytes, nn::ParameterBytes(network(), known, sizes, options));
    ASSIGN_OR_RETURN(auto room,
                     environment_.budget.Take(bytes - known.bytes(), "parameters", asking_));
    auto set = input_shapes ? nn::Materialize(network(), known, *input_shapes, options)
                            : nn::MaterializeKnown(network(), known, options);
    RETURN_IF_ERROR(set.status());
    room.reset();  // from here on the values count
    return MakeBound(*std::move(set), binding);
  };
  auto made = make();
  probe_->RecordMaterialization(source, made.ok(), Clock::now() - start);
  return made;
}

SavedState ParameterMaker::StateOf(const nn::ParameterSet& known) const {
  SavedState state{.definition = definition_.fingerprint};
  ForEachParameter(network(), [&](int node, int i) {
    const auto& value = known.value(node, i);
    if (value && value->origin == nn::Origin::kClient) {
      state.client_values.emplace_back(KeyOf(network(), node, i), value->tensor);
    }
  });
  return state;
}

SavedState ParameterMaker::StateOf(const BoundNetwork& bound) const {
  SavedState state = StateOf(bound.parameters);
  state.binding = bound.binding;
  if (bound.hash_known()) state.parameter_hash = bound.hash(network());
  state.replaced = bound.replaced;
  return state;
}

SavedState ParameterMaker::StateToSave(const BoundNetwork& bound) const {
  bound.hash(network());
  return StateOf(bound);
}

absl::StatusOr<std::shared_ptr<BoundNetwork>> ParameterMaker::FromState(
    const nn::ParameterSet& base, const SavedState& state, nn::ParameterSet& known,
    metrics::MaterializationSource source) const {
  if (state.definition != definition_.fingerprint) {
    return FailedPrecondition("it was saved for another definition ({} instead of {})",
                              state.definition, definition_.fingerprint);
  }
  nn::StateDict before;
  nn::StateDict after;
  for (const auto& entry : state.client_values) {
    (state.replaced.contains(entry.first) ? after : before).push_back(entry);
  }
  const nn::LoadOptions options{.origin = nn::Origin::kClient};
  ASSIGN_OR_RETURN(known, nn::LoadStateDict(network(), base, before, options));
  if (!state.binding) return std::shared_ptr<BoundNetwork>();
  std::optional<std::vector<Shape>> shapes;
  if (!state.binding->input_shapes.empty()) shapes = state.binding->input_shapes;
  if (shapes && shapes->size() != network().inputs().size()) {
    return FailedPrecondition("it was saved for {} inputs, the network has {}", shapes->size(),
                              network().inputs().size());
  }
  ASSIGN_OR_RETURN(auto bound, Materialized(known, std::move(shapes), *state.binding, source));
  if (!after.empty()) {
    ASSIGN_OR_RETURN(nn::ParameterSet all,
                     nn::LoadStateDict(network(), bound->parameters, after, options));
    bound = MakeBound(std::move(all), *state.binding);
    bound->replaced = state.replaced;
  }
  const std::string& hash = state.parameter_hash;
  if (!hash.empty() && bound->hash(network()) != hash) {
    return FailedPrecondition(
        "the parameters would not be the same: the checkpoint beside the definition, or how "
        "values are drawn, has changed");
  }
  return bound;
}

}  // namespace lazynet::hosting
