#include "service/hosting/hosted_network.h"

#include <algorithm>

#include "service/hosting/network_parameters.h"

namespace lazynet::hosting {
namespace {

using SystemClock = std::chrono::system_clock;

metrics::NetworkState ForMetrics(NetworkState state) {
  switch (state) {
    case NetworkState::kLazy:
      return metrics::NetworkState::kLazy;
    case NetworkState::kMaterializing:
      return metrics::NetworkState::kMaterializing;
    case NetworkState::kReady:
      return metrics::NetworkState::kReady;
    case NetworkState::kEvicted:
      return metrics::NetworkState::kEvicted;
    case NetworkState::kUnavailable:
      return metrics::NetworkState::kUnavailable;
  }
  return metrics::NetworkState::kUnavailable;
}

}  // namespace

const Binding* Standing::binding() const {
  if (bound != nullptr) return &bound->binding;
  return evicted != nullptr ? &*evicted->state.binding : nullptr;
}

std::string Standing::ParameterHash(const nn::Network& network) const {
  if (bound != nullptr) return bound->hash(network);
  return evicted != nullptr ? evicted->state.parameter_hash : "";
}

HostedNetwork::HostedNetwork(HostedDefinition definition, const Environment& environment)
    : definition_(std::move(definition)),
      environment_(environment),
      probe_(std::make_shared<metrics::NetworkProbe>(environment.registry, network().name(),
                                                     std::to_string(version()))),
      maker_(definition_, environment_, probe_, this),
      shapes_(definition_, environment_.state) {}

absl::StatusOr<std::shared_ptr<HostedNetwork>> HostedNetwork::Create(
    HostedDefinition definition, const Environment& environment) {
  std::shared_ptr<HostedNetwork> hosted(new HostedNetwork(std::move(definition), environment));
  // What it restores may not be evicted before it has started on it.
  const std::lock_guard changing(hosted->changing_);
  RETURN_IF_ERROR(hosted->LoadCheckpoint());
  if (environment.state != nullptr) {
    RETURN_IF_ERROR(hosted->AdoptOrSetAside(WhenFull::kBeginEvicted));
  }
  hosted->shapes_.Load();
  if (hosted->Look().binding() == nullptr) RETURN_IF_ERROR(hosted->Start());
  return hosted;
}

absl::Status HostedNetwork::LoadCheckpoint() {
  const nn::ParameterSet declared = nn::ParameterSet::Declared(network());
  ASSIGN_OR_RETURN(nn::ParameterSet loaded,
                   nn::LoadStateDict(network(), declared, definition_.checkpoint));
  ASSIGN_OR_RETURN(auto room, maker_.RoomFor(loaded, nullptr));
  base_ = maker_.Counted(std::move(loaded), std::move(room));
  known_ = base_;
  return absl::OkStatus();
}

// Binds what needs no request.
absl::Status HostedNetwork::Start() {
  const bool eager = network().IsEager();
  // What constraints imply alone waits for the first request: a definition costs no parameters.
  const Known known = parameters();
  if (known->sizes_known() && (eager || !definition_.checkpoint.empty())) {
    return BindKnown(eager ? Binding::Source::kDefinition : Binding::Source::kCheckpoint);
  }
  if (serving().policy != BindingPolicy::kAtLoad) return absl::OkStatus();
  RETURN_IF_ERROR(serving().CheckLimits(network(), serving().bind_shapes));
  const Binding binding{Binding::Source::kAtLoad, serving().bind_shapes, SystemClock::now()};
  ASSIGN_OR_RETURN(auto bound, maker_.Materialized(*known, serving().bind_shapes, binding,
                                                   ForMetrics(binding.source)));
  Publish(std::move(bound));
  return absl::OkStatus();
}

HostedNetwork::~HostedNetwork() { environment_.budget.Leave(resident_, false); }

HostedNetwork::State HostedNetwork::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::string HostedNetwork::set_aside() const {
  const std::lock_guard lock(mutex_);
  return set_aside_;
}

Standing HostedNetwork::Look() const {
  const std::lock_guard lock(mutex_);
  if (bound_ != nullptr) return {bound_, nullptr, {bound_, &bound_->parameters}};
  if (evicted_ != nullptr) return {nullptr, evicted_, {evicted_, &evicted_->parameters}};
  return {nullptr, nullptr, known_};
}

absl::StatusOr<std::shared_ptr<const nn::ParameterSet>> HostedNetwork::ParametersWithValues() {
  const Standing now = Look();
  if (now.evicted == nullptr) return now.parameters;
  const std::lock_guard changing(changing_);
  RETURN_IF_ERROR(BringBack());
  // Not to be evicted again before somebody has them: what is returned keeps them in use.
  return parameters();
}

absl::StatusOr<std::string> HostedNetwork::ParameterHash() {
  const Standing now = Look();
  if (now.evicted == nullptr || !now.evicted->state.parameter_hash.empty()) {
    return now.ParameterHash(network());
  }
  const std::lock_guard changing(changing_);
  RETURN_IF_ERROR(BringBack());
  return Look().ParameterHash(network());
}

void HostedNetwork::Announce() {
  {
    const std::scoped_lock lock(telling_, writing_);
    stage_ = Stage::kHosted;
  }
  TellState();
  ShowParameters();
}

void HostedNetwork::Retire() {
  const std::scoped_lock lock(telling_, writing_);
  stage_ = Stage::kRetired;
}

// The lock is held until it is told, so that the last state is told last.
void HostedNetwork::TellState() {
  const std::lock_guard lock(telling_);
  if (stage_ != Stage::kHosted) return;
  const State now = state();
  probe_->SetState(ForMetrics(now));
  environment_.events.Publish({.name = network().name(), .version = version(), .state = now});
}

void HostedNetwork::ShowState(State state) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
  }
  TellState();
}

// What was there before is destroyed behind the lock: requests want that, and to free gigabytes
// takes a while. Here and in Unbind.
void HostedNetwork::Publish(std::shared_ptr<BoundNetwork> bound) {
  std::shared_ptr<const EvictedNetwork> evicted;
  Known known;
  {
    const std::lock_guard lock(mutex_);
    bound_.swap(bound);
    evicted_.swap(evicted);
    known_.swap(known);
    state_ = State::kReady;
  }
  environment_.budget.Enter(shared_from_this(), resident_);
  ShowState(State::kReady);
  ShowParameters();
}

void HostedNetwork::PublishEvicted(std::shared_ptr<const EvictedNetwork> evicted) {
  Known known;
  {
    const std::lock_guard lock(mutex_);
    evicted_.swap(evicted);
    known_.swap(known);
    state_ = State::kEvicted;
  }
  TellState();
  ShowParameters();
}

void HostedNetwork::Unbind(Known known) {
  environment_.budget.Leave(resident_, false);
  std::shared_ptr<BoundNetwork> bound;
  std::shared_ptr<const EvictedNetwork> evicted;
  {
    const std::lock_guard lock(mutex_);
    bound_.swap(bound);
    evicted_.swap(evicted);
    known_.swap(known);
    state_ = State::kLazy;
  }
  ShowState(State::kLazy);
  ShowParameters();
}

size_t HostedNetwork::MemoryBytes() const {
  const Standing now = Look();
  return now.parameters->bytes() - now.parameters->mapped_bytes() +
         (now.bound == nullptr ? 0 : now.bound->shared.packed.bytes());
}

void HostedNetwork::ShowParameters() {
  const std::lock_guard lock(telling_);
  if (stage_ != Stage::kHosted) return;
  const auto set = parameters();
  size_t uninitialized = 0;
  ForEachParameter(network(), [&](int node, int i) {
    uninitialized += set->initialized(network(), node, i) ? 0 : 1;
  });
  probe_->SetUninitializedParameters(uninitialized);
  probe_->SetParameterBytes(set->bytes(), set->mapped_bytes());
}

absl::StatusOr<nn::Inference> HostedNetwork::Infer(const Standing& now,
                                                   std::span<const Shape> input_shapes) const {
  RETURN_IF_ERROR(serving().CheckLimits(network(), input_shapes));
  auto inference = network().Infer(input_shapes, now.parameters->sizes());
  const Binding* binding = now.binding();
  if (inference.ok() || binding == nullptr) return inference;
  return absl::Status(inference.status().code(), fmt::format("{} ({})", Message(inference.status()),
                                                             Describe(*binding, network())));
}

absl::Status HostedNetwork::CheckShapes(std::span<const Shape> input_shapes) const {
  return Infer(Look(), input_shapes).status();
}

absl::Status HostedNetwork::Check(std::span<const Shape> input_shapes) const {
  const Standing now = Look();
  RETURN_IF_ERROR(Infer(now, input_shapes).status());
  if (now.binding() == nullptr && serving().policy == BindingPolicy::kByAdmin) {
    return FailedPrecondition(
        "the network is not bound yet, and its binding policy is BY_ADMIN: InitializeParameters "
        "or a state dict must bind it first");
  }
  return absl::OkStatus();
}

Forecast HostedNetwork::Foresee(std::span<const Shape> input_shapes) const {
  const Standing now = Look();
  const auto& set = now.parameters;
  Forecast forecast{.sizes = set->sizes()};
  if (absl::Status status = serving().CheckLimits(network(), input_shapes); !status.ok()) {
    forecast.errors.push_back(status);
  }
  for (absl::Status& error : network().Diagnose(input_shapes, set->sizes())) {
    forecast.errors.push_back(std::move(error));
  }
  const auto inference = network().Infer(input_shapes, set->sizes());
  if (!inference.ok()) return forecast;
  forecast.sizes = inference->sizes;
  ForEachParameter(network(), [&](int node, int i) {
    if (!set->value(node, i) && now.evicted == nullptr) forecast.created.emplace_back(node, i);
  });
  for (const nn::NetworkOutput& output : network().outputs()) {
    forecast.outputs.push_back(inference->shape(output.source));
  }
  const nn::MaterializeOptions options = maker_.Options();
  const auto bytes = nn::ParameterBytes(network(), *set, forecast.sizes, options);
  if (!bytes.ok()) {
    forecast.errors.push_back(bytes.status());
    return forecast;
  }
  forecast.parameter_bytes = *bytes;
  if (now.evicted == nullptr) forecast.created_bytes = *bytes - set->bytes();
  if (now.binding() == nullptr) {
    absl::Status room = environment_.budget.Check(forecast.created_bytes, "parameters", this);
    if (!room.ok()) forecast.errors.push_back(std::move(room));
  }
  return forecast;
}

}  // namespace lazynet::hosting
