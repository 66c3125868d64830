#include <spdlog/spdlog.h>

#include "service/hosting/hosted_network.h"
#include "service/hosting/network_parameters.h"

namespace lazynet::hosting {
namespace {

using SystemClock = std::chrono::system_clock;

}  // namespace

// Nothing is published before the plan stands: a first request that cannot be served must not bind
// the network.
absl::StatusOr<Executable> HostedNetwork::BindAndPlan(std::span<const Shape> input_shapes,
                                                      Binding::Source source) {
  ShowState(State::kMaterializing);
  const auto make = [&]() -> absl::StatusOr<Executable> {
    std::vector<Shape> shapes(input_shapes.begin(), input_shapes.end());
    const Binding binding{source, shapes, SystemClock::now()};
    ASSIGN_OR_RETURN(auto bound, maker_.Materialized(*parameters(), std::move(shapes), binding,
                                                     ForMetrics(source)));
    ASSIGN_OR_RETURN(auto plan, BuildPlan(*bound, input_shapes));
    RETURN_IF_ERROR(Remember(*bound));
    return Executable{std::move(bound), std::move(plan), nullptr};
  };
  auto made = make();
  if (!made.ok()) {
    ShowState(State::kLazy);
    return made.status();
  }
  Publish(made->bound);
  return made;
}

absl::Status HostedNetwork::BindKnown(Binding::Source source, bool remember) {
  const Binding binding{source, {}, SystemClock::now()};
  ASSIGN_OR_RETURN(auto bound,
                   maker_.Materialized(*parameters(), std::nullopt, binding, ForMetrics(source)));
  if (remember) RETURN_IF_ERROR(Remember(*bound));
  Publish(std::move(bound));
  return absl::OkStatus();
}

absl::Status HostedNetwork::Load(const nn::StateDict& values, nn::LoadOptions options, bool dry,
                                 nn::LoadReport& report) {
  const std::lock_guard changing(changing_);
  RETURN_IF_ERROR(BringBack());
  const auto [now, evicted, set] = Look();
  options.origin = nn::Origin::kClient;
  ASSIGN_OR_RETURN(nn::ParameterSet loaded,
                   nn::LoadStateDict(network(), *set, values, options, &report));
  if (dry) return absl::OkStatus();
  RETURN_IF_ERROR(
      environment_.budget.Admit(NewBytes(network(), loaded, set.get()), "parameters", this));
  if (now == nullptr) {
    Known known = maker_.Counted(std::move(loaded));
    if (!known->sizes_known()) {
      if (environment_.state != nullptr) {
        SavedState state{.definition = definition_.fingerprint};
        ForEachParameter(network(), [&](int node, int i) {
          const auto& value = known->value(node, i);
          if (value && value->origin == nn::Origin::kClient) {
            state.client_values.emplace_back(KeyOf(network(), node, i), value->tensor);
          }
        });
        RETURN_IF_ERROR(environment_.state->Replace(network().name(), version(), state));
      }
      Unbind(std::move(known));
      return absl::OkStatus();
    }
    const Binding binding{Binding::Source::kClient, {}, SystemClock::now()};
    ASSIGN_OR_RETURN(
        auto bound, maker_.Materialized(*known, std::nullopt, binding, ForMetrics(binding.source)));
    absl::Status remembered = Remember(*bound);
    if (remembered.code() == absl::StatusCode::kAlreadyExists) {
      RETURN_IF_ERROR(AdoptOrSetAside());
      return absl::AbortedError(
          "another server on this state directory bound the network first; its parameters have "
          "been taken over: load again");
    }
    RETURN_IF_ERROR(remembered);
    Publish(std::move(bound));
    return absl::OkStatus();
  }
  auto bound = maker_.MakeBound(std::move(loaded), now->binding);
  bound->replaced = now->replaced;
  ForEachParameter(network(), [&](int node, int i) {
    const bool drawn = set->value(node, i)->origin == nn::Origin::kInitializer;
    const bool given = bound->parameters.value(node, i)->origin == nn::Origin::kClient;
    if (drawn && given) bound->replaced.insert(KeyOf(network(), node, i));
  });
  if (environment_.state != nullptr) {
    RETURN_IF_ERROR(
        environment_.state->Replace(network().name(), version(), maker_.StateOf(*bound)));
  }
  Publish(std::move(bound));
  return absl::OkStatus();
}

absl::Status HostedNetwork::Reset() {
  const std::lock_guard changing(changing_);
  if (environment_.state != nullptr) {
    RETURN_IF_ERROR(environment_.state->Forget(network().name(), version()));
  }
  Unbind(base_);
  return Start();
}

// ALREADY_EXISTS when another server has bound the network.
absl::Status HostedNetwork::Remember(const BoundNetwork& bound) {
  if (environment_.state == nullptr) return absl::OkStatus();
  const SavedState state = maker_.StateOf(bound);
  absl::Status created = environment_.state->Create(network().name(), version(), state);
  if (created.code() != absl::StatusCode::kAlreadyExists) return created;
  // Values that were loaded before there was a binding may be replaced by the same and more.
  const auto saved = environment_.state->Load(network().name(), version());
  if (!saved.ok() || !*saved || (*saved)->binding) return created;
  return environment_.state->Replace(network().name(), version(), state);
}

// Another server's state, or an earlier run's, becomes this one's, if there is one. Only what
// cannot fit is set aside; what memory or the disk refuse now may be right later.
absl::Status HostedNetwork::AdoptOrSetAside() {
  const auto saved = environment_.state->Load(network().name(), version());
  if (!saved.ok() && !absl::IsInvalidArgument(saved.status())) return saved.status();
  if (saved.ok() && !*saved) return absl::OkStatus();
  const absl::Status adopted = saved.ok() ? Adopt(**saved) : saved.status();
  const bool misfit = absl::IsFailedPrecondition(adopted) || absl::IsInvalidArgument(adopted);
  if (!misfit) return adopted;
  std::string reason(Message(adopted));
  RETURN_IF_ERROR(environment_.state->SetAside(network().name(), version(), reason));
  spdlog::warn("model {} version {}: the remembered state is not used: {}", network().name(),
               version(), reason);
  const std::lock_guard lock(mutex_);
  set_aside_ = std::move(reason);
  return absl::OkStatus();
}

absl::Status HostedNetwork::Adopt(const SavedState& saved) {
  nn::ParameterSet known = *base_;
  const auto source = saved.binding ? saved.binding->source : Binding::Source::kClient;
  ASSIGN_OR_RETURN(auto bound, maker_.FromState(*base_, saved, known, ForMetrics(source)));
  if (bound != nullptr) {
    Publish(std::move(bound));
    return absl::OkStatus();
  }
  Known counted = maker_.Counted(std::move(known));
  const std::lock_guard lock(mutex_);
  known_.swap(counted);
  return absl::OkStatus();
}

}  // namespace lazynet::hosting
