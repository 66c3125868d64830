#include "service/hosting/hosted_network.h"

namespace lazynet::hosting {
namespace {

using Clock = std::chrono::steady_clock;

// Whether evicting the parameters would free it, and lose it where nothing remembers it.
bool IsLoaded(const nn::ParameterValue& value) {
  return value.origin == nn::Origin::kClient && !value.tensor.mapped();
}

// Whether evicting the set would free anything.
bool HasMemory(const nn::ParameterSet& set) {
  bool any = false;
  set.ForEachValue([&](const nn::ParameterValue& value) {
    any |= value.origin == nn::Origin::kInitializer || IsLoaded(value);
  });
  return any;
}

bool HasLoaded(const nn::ParameterSet& set) {
  bool any = false;
  set.ForEachValue([&](const nn::ParameterValue& value) { any |= IsLoaded(value); });
  return any;
}

}  // namespace

size_t HostedNetwork::EvictableBytes() const {
  if (serving().pinned) return 0;
  const std::lock_guard lock(mutex_);
  if (bound_ == nullptr) return 0;
  size_t bytes = bound_->plans.idle_bytes();
  if (bound_.use_count() > 1) return bytes;
  bytes += bound_->shared.packed.bytes();
  if (HasLoaded(bound_->parameters) && environment_.state == nullptr) return bytes;
  bound_->parameters.ForEachValue([&](const nn::ParameterValue& value) {
    if (value.origin == nn::Origin::kInitializer || IsLoaded(value)) bytes += value.tensor.bytes();
  });
  return bytes;
}

void HostedNetwork::EvictUnusedPlans() {
  if (serving().pinned) return;
  if (const auto now = bound(); now != nullptr) {
    EvictFrom(*now, [&] { return now->plans.EvictUnused() > 0; });
  }
}

bool HostedNetwork::EvictPlan() {
  if (serving().pinned) return false;
  const auto now = bound();
  return now != nullptr && EvictFrom(*now, [&] { return now->plans.EvictIdle() > 0; });
}

// Packed weights go with the last plan that uses them.
template <typename Evict>
bool HostedNetwork::EvictFrom(const BoundNetwork& bound, const Evict& evict) {
  const bool had_packed = bound.shared.packed.bytes() > 0;
  if (!evict()) return false;
  if (had_packed && bound.shared.packed.bytes() == 0) {
    probe_->RecordEviction(metrics::EvictedPart::kPackedWeights);
  }
  return true;
}

// What makes the same parameters again, without memory of its own.
absl::StatusOr<SavedState> HostedNetwork::StateToKeep(const BoundNetwork& bound) const {
  SavedState state = maker_.StateOf(bound);
  if (!HasLoaded(bound.parameters)) return state;
  if (environment_.state == nullptr) return FailedPrecondition("nothing remembers what was loaded");
  ASSIGN_OR_RETURN(auto saved, environment_.state->Load(network().name(), version()));
  // Whoever wrote it asked for the hash.
  if (!saved || !bound.hash_known() || saved->parameter_hash != state.parameter_hash) {
    return FailedPrecondition("the state directory has other parameters");
  }
  state.client_values = std::move(saved->client_values);
  state.replaced = std::move(saved->replaced);
  return state;
}

bool HostedNetwork::EvictParameters() {
  if (serving().pinned) return false;
  const std::unique_lock changing(changing_, std::try_to_lock);
  if (!changing.owns_lock()) return false;
  std::shared_ptr<BoundNetwork> gone = bound();
  // Under mutex_ there is no way to come by another owner: with none, nobody uses it.
  const auto is_idle = [&] { return bound_ == gone && bound_.use_count() == 2; };
  {
    const std::lock_guard lock(mutex_);
    if (gone == nullptr || !is_idle()) return false;
  }
  if (!HasMemory(gone->parameters)) return false;
  auto state = StateToKeep(*gone);
  if (!state.ok()) return false;
  nn::ParameterSet kept = gone->parameters.WithoutDrawnValues();
  if (!state->client_values.empty()) {
    const nn::LoadOptions options{.origin = nn::Origin::kClient};
    auto with_mapped = nn::LoadStateDict(network(), kept, state->client_values, options);
    if (!with_mapped.ok()) return false;
    kept = *std::move(with_mapped);
  }
  auto evicted = std::make_shared<const EvictedNetwork>(
      EvictedNetwork{.state = *std::move(state), .parameters = std::move(kept)});
  {
    const std::lock_guard lock(mutex_);
    if (!is_idle()) return false;
    bound_ = nullptr;
    evicted_ = std::move(evicted);
    state_ = State::kEvicted;
  }
  environment_.budget.Leave(resident_, true);
  probe_->RecordEviction(metrics::EvictedPart::kParameters);
  probe_->RecordParameterAgeAtEviction(Clock::now() - gone->made);
  ShowState(State::kEvicted);
  ShowParameters();
  return true;
}

absl::Status HostedNetwork::BringBack() {
  const std::shared_ptr<const EvictedNetwork> evicted = Look().evicted;
  if (evicted == nullptr) return absl::OkStatus();
  nn::ParameterSet known = *base_;
  const auto bound =
      maker_.FromState(*base_, evicted->state, known, metrics::MaterializationSource::kEvicted);
  if (bound.ok()) {
    Publish(*bound);
    return absl::OkStatus();
  }
  if (!evicted->restored || !IsMisfit(bound.status())) {
    return Annotate("evicted parameters", bound.status());
  }
  // As at the start of the server, when there was no memory to find out.
  Unbind(base_);
  RETURN_IF_ERROR(AdoptOrSetAside());
  return Look().binding() == nullptr ? Start() : absl::OkStatus();
}

}  // namespace lazynet::hosting
