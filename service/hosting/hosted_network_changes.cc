#include <spdlog/spdlog.h>

#include "service/hosting/hosted_network.h"
#include "service/hosting/network_parameters.h"

namespace lazynet::hosting {
namespace {

using SystemClock = std::chrono::system_clock;

absl::Status Overtaken() {
  return absl::AbortedError(
      "another server on this state directory bound the network first; its parameters have been "
      "taken over: load again");
}

// For who was to be told that something is remembered.
absl::Status Replaced() {
  return absl::AbortedError("the network was replaced or removed meanwhile: try again");
}

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
    // Requests end well on a network that another one took the place of.
    RETURN_IF_ERROR(Remember(*bound, absl::OkStatus()));
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

absl::Status HostedNetwork::BindKnown(Binding::Source source) {
  const Binding binding{source, {}, SystemClock::now()};
  ASSIGN_OR_RETURN(auto bound,
                   maker_.Materialized(*parameters(), std::nullopt, binding, ForMetrics(source)));
  Publish(std::move(bound));
  return absl::OkStatus();
}

absl::Status HostedNetwork::Load(const nn::StateDict& values, nn::LoadOptions options, bool dry,
                                 nn::LoadReport& report) {
  options.origin = nn::Origin::kClient;
  // Sizes and keys of evicted parameters are enough to see what is wrong.
  if (dry) return nn::LoadStateDict(network(), *parameters(), values, options, &report).status();
  const std::lock_guard changing(changing_);
  RETURN_IF_ERROR(BringBack());
  if (bound() == nullptr && environment_.state != nullptr) {
    RETURN_IF_ERROR(AdoptOrSetAside());
    if (bound() != nullptr) return Overtaken();
  }
  const Standing now = Look();
  ASSIGN_OR_RETURN(nn::ParameterSet loaded,
                   nn::LoadStateDict(network(), *now.parameters, values, options, &report));
  ASSIGN_OR_RETURN(auto room, maker_.RoomFor(loaded, now.parameters.get()));
  if (now.bound != nullptr) return LoadBound(*now.bound, std::move(loaded), std::move(room));
  Known known = maker_.Counted(std::move(loaded), std::move(room));
  const absl::Status done = known->sizes_known() ? BindLoaded(*known) : KeepLoaded(known);
  if (!absl::IsAlreadyExists(done)) return done;
  RETURN_IF_ERROR(AdoptOrSetAside());
  return Overtaken();
}

absl::Status HostedNetwork::LoadBound(const BoundNetwork& before, nn::ParameterSet loaded,
                                      ParameterMaker::Room room) {
  auto bound = maker_.MakeBound(std::move(loaded), before.binding, std::move(room));
  bound->replaced = before.replaced;
  ForEachParameter(network(), [&](int node, int i) {
    const bool drawn = before.parameters.value(node, i)->origin == nn::Origin::kInitializer;
    const bool given = bound->parameters.value(node, i)->origin == nn::Origin::kClient;
    if (drawn && given) bound->replaced.insert(KeyOf(network(), node, i));
  });
  if (environment_.state != nullptr) {
    const SavedState state = maker_.StateToSave(*bound);
    RETURN_IF_ERROR(WriteUnlessRetired(Replaced(), [&] {
      return environment_.state->Replace(network().name(), version(), state);
    }));
  }
  Publish(std::move(bound));
  return absl::OkStatus();
}

absl::Status HostedNetwork::BindLoaded(const nn::ParameterSet& known) {
  const Binding binding{Binding::Source::kClient, {}, SystemClock::now()};
  ASSIGN_OR_RETURN(auto bound,
                   maker_.Materialized(known, std::nullopt, binding, ForMetrics(binding.source)));
  RETURN_IF_ERROR(Remember(*bound, Replaced()));
  Publish(std::move(bound));
  return absl::OkStatus();
}

// For whatever binds the network. ALREADY_EXISTS when another server has bound it.
absl::Status HostedNetwork::KeepLoaded(Known known) {
  if (environment_.state != nullptr) {
    const SavedState state = maker_.StateOf(*known);
    RETURN_IF_ERROR(WriteUnlessRetired(Replaced(), [&] {
      return environment_.state->Replace(network().name(), version(), state);
    }));
    // A server that binds takes the values that it finds: those came too late.
    ASSIGN_OR_RETURN(const auto saved, environment_.state->Load(network().name(), version()));
    if (saved && saved->binding) return absl::AlreadyExistsError("bound meanwhile");
  }
  Unbind(std::move(known));
  return absl::OkStatus();
}

absl::Status HostedNetwork::Reset() {
  const std::lock_guard changing(changing_);
  RETURN_IF_ERROR(WriteUnlessRetired(Replaced(), [&] {
    shapes_.Clear();
    return environment_.state == nullptr ? absl::OkStatus()
                                         : environment_.state->Forget(network().name(), version());
  }));
  Unbind(base_);
  return Start();
}

// ALREADY_EXISTS when another server has bound the network.
absl::Status HostedNetwork::Remember(const BoundNetwork& bound, const absl::Status& if_retired) {
  if (environment_.state == nullptr) return absl::OkStatus();
  const SavedState state = maker_.StateToSave(bound);
  return WriteUnlessRetired(
      if_retired, [&] { return environment_.state->Create(network().name(), version(), state); });
}

// Another server's state, or an earlier run's, becomes this one's, if there is one. Only what
// cannot fit is set aside; what memory or the disk refuse now may be right later.
absl::Status HostedNetwork::AdoptOrSetAside(WhenFull when_full) {
  const auto saved = environment_.state->Load(network().name(), version());
  if (!saved.ok() && !absl::IsInvalidArgument(saved.status())) return saved.status();
  if (saved.ok() && !*saved) return absl::OkStatus();
  const absl::Status adopted = saved.ok() ? Adopt(**saved, when_full) : saved.status();
  if (!IsMisfit(adopted)) return adopted;
  std::string reason(Message(adopted));
  // Of a retired network it is the state of the one that took its place.
  return WriteUnlessRetired(absl::OkStatus(), [&] {
    RETURN_IF_ERROR(environment_.state->SetAside(network().name(), version(), reason));
    spdlog::warn("model {} version {}: the remembered state is not used: {}", network().name(),
                 version(), reason);
    const std::lock_guard lock(mutex_);
    set_aside_ = std::move(reason);
    return absl::OkStatus();
  });
}

absl::Status HostedNetwork::WriteUnlessRetired(const absl::Status& if_retired,
                                               const std::function<absl::Status()>& write) {
  const std::lock_guard lock(writing_);
  return stage_ == Stage::kRetired ? if_retired : write();
}

absl::Status HostedNetwork::RecordShapes() {
  return WriteUnlessRetired(absl::OkStatus(), [&] { return shapes_.Record(bound().get()); });
}

absl::Status HostedNetwork::Adopt(const SavedState& saved, WhenFull when_full) {
  if (when_full == WhenFull::kBeginEvicted && saved.binding && !serving().pinned) {
    // Ten thousand states that are restored one after the other would evict each other.
    ASSIGN_OR_RETURN(EvictedNetwork evicted, maker_.EvictedFromState(*base_, saved));
    ASSIGN_OR_RETURN(const size_t bytes, maker_.BytesToDraw(evicted));
    if (!environment_.budget.IsFree(bytes)) {
      PublishEvicted(std::make_shared<const EvictedNetwork>(std::move(evicted)));
      return absl::OkStatus();
    }
  }
  nn::ParameterSet known = *base_;
  const auto source = saved.binding ? saved.binding->source : Binding::Source::kClient;
  ASSIGN_OR_RETURN(auto bound, maker_.FromState(*base_, saved, known, ForMetrics(source)));
  if (bound != nullptr) {
    Publish(std::move(bound));
    return absl::OkStatus();
  }
  Known counted = maker_.Counted(std::move(known));
  {
    const std::lock_guard lock(mutex_);
    known_.swap(counted);
  }
  ShowParameters();
  return absl::OkStatus();
}

}  // namespace lazynet::hosting
