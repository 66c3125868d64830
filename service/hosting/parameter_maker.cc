#include "service/hosting/parameter_maker.h"

#include <algorithm>

#include "service/hosting/network_parameters.h"

namespace lazynet::hosting {
namespace {

using Clock = std::chrono::steady_clock;

const nn::LoadOptions kClient{.origin = nn::Origin::kClient};

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

absl::StatusOr<ParameterMaker::Room> ParameterMaker::RoomFor(const nn::ParameterSet& set,
                                                             const nn::ParameterSet* before) const {
  size_t bytes = 0;
  ForEachParameter(network(), [&](int node, int i) {
    const auto& value = set.value(node, i);
    if (!value || value->tensor.mapped()) return;
    const bool is_there = before != nullptr && before->value(node, i) &&
                          before->value(node, i)->tensor.data() == value->tensor.data();
    if (!is_there) bytes += value->tensor.bytes();
  });
  return environment_.budget.Take(bytes, "parameters", asking_);
}

ParameterMaker::Known ParameterMaker::Counted(nn::ParameterSet set, Room room) const {
  struct Holder {
    nn::ParameterSet set;
    MemoryBudget::Shares shares;  // gone before the set
  };
  auto holder = std::make_shared<Holder>(Holder{std::move(set), {}});
  holder->shares = environment_.budget.Hold(holder->set, std::move(room));
  return {holder, &holder->set};
}

nn::MaterializeOptions ParameterMaker::Options() const {
  nn::MaterializeOptions options = environment_.options.materialize;
  options.max_parameter_bytes =
      std::min(options.max_parameter_bytes, definition_.serving.max_parameter_bytes);
  return options;
}

std::shared_ptr<BoundNetwork> ParameterMaker::MakeBound(nn::ParameterSet set,
                                                        const Binding& binding, Room room) const {
  const HostingOptions& options = environment_.options;
  const size_t plans_per_shape = options.wide_threads > 1 ? 2 : 1;
  return std::make_shared<BoundNetwork>(std::move(set), std::move(room), binding,
                                        environment_.budget, asking_, environment_.plans,
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
    return MakeBound(*std::move(set), binding, std::move(room));
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

absl::StatusOr<ParameterMaker::Fitted> ParameterMaker::Fit(const nn::ParameterSet& base,
                                                           const SavedState& state) const {
  if (state.definition != definition_.fingerprint) {
    return FailedPrecondition("it was saved for another definition ({} instead of {})",
                              state.definition, definition_.fingerprint);
  }
  nn::StateDict before;
  nn::StateDict after;
  for (const auto& entry : state.client_values) {
    (state.replaced.contains(entry.first) ? after : before).push_back(entry);
  }
  ASSIGN_OR_RETURN(nn::ParameterSet known, nn::LoadStateDict(network(), base, before, kClient));
  Fitted fitted{std::move(known), std::move(after), {}};
  if (!state.binding || state.binding->input_shapes.empty()) return fitted;
  fitted.input_shapes = state.binding->input_shapes;
  if (fitted.input_shapes->size() != network().inputs().size()) {
    return FailedPrecondition("it was saved for {} inputs, the network has {}",
                              fitted.input_shapes->size(), network().inputs().size());
  }
  return fitted;
}

absl::StatusOr<std::shared_ptr<BoundNetwork>> ParameterMaker::FromState(
    const nn::ParameterSet& base, const SavedState& state, nn::ParameterSet& known,
    metrics::MaterializationSource source) const {
  ASSIGN_OR_RETURN(Fitted fitted, Fit(base, state));
  known = std::move(fitted.known);
  if (!state.binding) return std::shared_ptr<BoundNetwork>();
  ASSIGN_OR_RETURN(auto bound,
                   Materialized(known, std::move(fitted.input_shapes), *state.binding, source));
  if (!fitted.after.empty()) {
    ASSIGN_OR_RETURN(nn::ParameterSet all,
                     nn::LoadStateDict(network(), bound->parameters, fitted.after, kClient));
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

absl::StatusOr<EvictedNetwork> ParameterMaker::EvictedFromState(const nn::ParameterSet& base,
                                                                const SavedState& state) const {
  ASSIGN_OR_RETURN(const Fitted fitted, Fit(base, state));
  std::vector<nn::Sizes> sizes = fitted.known.sizes();
  if (fitted.input_shapes) {
    ASSIGN_OR_RETURN(nn::Inference inference, network().Infer(*fitted.input_shapes, sizes));
    sizes = std::move(inference.sizes);
  } else if (!fitted.known.sizes_known()) {
    return FailedPrecondition("some lazy sizes are not known");
  }
  const nn::ParameterSet without_drawn = fitted.known.WithoutDrawnValues(std::move(sizes));
  ASSIGN_OR_RETURN(nn::ParameterSet set,
                   nn::LoadStateDict(network(), without_drawn, fitted.after, kClient));
  return EvictedNetwork{.state = state, .parameters = std::move(set), .restored = true};
}

absl::StatusOr<size_t> ParameterMaker::BytesToDraw(const EvictedNetwork& evicted) const {
  const nn::ParameterSet& set = evicted.parameters;
  ASSIGN_OR_RETURN(const size_t all, nn::ParameterBytes(network(), set, set.sizes(), Options()));
  return all - set.bytes();
}

}  // namespace lazynet::hosting
