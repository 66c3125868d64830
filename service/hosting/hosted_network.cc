#include "service/hosting/hosted_network.h"

namespace lazynet::hosting {
namespace {

using Clock = std::chrono::steady_clock;

metrics::NetworkState ForMetrics(HostedNetwork::State state) {
  switch (state) {
    case HostedNetwork::State::kLazy:
      return metrics::NetworkState::kLazy;
    case HostedNetwork::State::kMaterializing:
      return metrics::NetworkState::kMaterializing;
    case HostedNetwork::State::kReady:
      return metrics::NetworkState::kReady;
  }
  return metrics::NetworkState::kUnavailable;
}

metrics::MaterializationSource ForMetrics(Binding::Source source) {
  switch (source) {
    case Binding::Source::kFirstRequest:
      return metrics::MaterializationSource::kFirstRequest;
    case Binding::Source::kCheckpoint:
      return metrics::MaterializationSource::kCheckpoint;
    case Binding::Source::kDefinition:
      return metrics::MaterializationSource::kDefinition;
  }
  return metrics::MaterializationSource::kDefinition;
}

size_t CountUninitialized(const nn::Network& network, const nn::ParameterSet& set) {
  size_t count = 0;
  for (size_t node = 0; node < network.nodes().size(); ++node) {
    for (size_t i = 0; i < network.nodes()[node].parameters().size(); ++i) {
      count += set.initialized(network, static_cast<int>(node), static_cast<int>(i)) ? 0 : 1;
    }
  }
  return count;
}

}  // namespace

HostedNetwork::HostedNetwork(std::shared_ptr<const nn::Network> network, int64_t version,
                             nn::ParameterSet declared, const Backends& backends,
                             const HostingOptions& options, metrics::Registry& registry)
    : network_(std::move(network)),
      version_(version),
      declared_(std::make_shared<const nn::ParameterSet>(std::move(declared))),
      backends_(backends),
      options_(options),
      probe_(std::make_unique<metrics::NetworkProbe>(registry, network_->name(),
                                                     std::to_string(version))) {
  probe_->SetState(metrics::NetworkState::kLazy);
  ShowParameters();
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> HostedNetwork::Create(
    std::shared_ptr<const nn::Network> network, int64_t version, const nn::StateDict& checkpoint,
    const Backends& backends, const HostingOptions& options, metrics::Registry& registry) {
  nn::ParameterSet declared = nn::ParameterSet::Declared(*network);
  const bool all_given = network->IsEager();
  ASSIGN_OR_RETURN(declared, nn::LoadStateDict(*network, declared, checkpoint));
  // What constraints imply alone waits for the first request: a definition costs no parameters.
  const bool known = declared.sizes_known() && (all_given || !checkpoint.empty());
  std::shared_ptr<HostedNetwork> hosted(new HostedNetwork(
      std::move(network), version, std::move(declared), backends, options, registry));
  if (known) {
    RETURN_IF_ERROR(
        hosted->BindKnown(all_given ? Binding::Source::kDefinition : Binding::Source::kCheckpoint));
  }
  return hosted;
}

HostedNetwork::State HostedNetwork::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::shared_ptr<BoundNetwork> HostedNetwork::bound() const {
  const std::lock_guard lock(mutex_);
  return bound_;
}

std::shared_ptr<const nn::ParameterSet> HostedNetwork::parameters() const {
  const auto now = bound();
  if (now == nullptr) return declared_;
  return {now, &now->parameters};
}

absl::Status HostedNetwork::BindKnown(Binding::Source source) {
  const auto start = Clock::now();
  auto set = nn::MaterializeKnown(*network_, *declared_, options_.materialize);
  probe_->RecordMaterialization(ForMetrics(source), set.ok(), Clock::now() - start);
  if (!set.ok()) return set.status();
  Publish(std::make_shared<BoundNetwork>(*std::move(set),
                                         Binding{source, {}, std::chrono::system_clock::now()},
                                         options_.plans_per_network));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<BoundNetwork>> HostedNetwork::BindByRequest(
    std::span<const Shape> input_shapes) {
  const auto show = [&](State state) {
    const std::lock_guard lock(mutex_);
    state_ = state;
    probe_->SetState(ForMetrics(state));
  };
  show(State::kMaterializing);
  const auto start = Clock::now();
  auto set = nn::Materialize(*network_, *declared_, input_shapes, options_.materialize);
  probe_->RecordMaterialization(metrics::MaterializationSource::kFirstRequest, set.ok(),
                                Clock::now() - start);
  if (!set.ok()) {
    show(State::kLazy);
    return set.status();
  }
  return std::make_shared<BoundNetwork>(*std::move(set),
                                        Binding{Binding::Source::kFirstRequest,
                                                {input_shapes.begin(), input_shapes.end()},
                                                std::chrono::system_clock::now()},
                                        options_.plans_per_network);
}

void HostedNetwork::Publish(std::shared_ptr<BoundNetwork> bound) {
  {
    const std::lock_guard lock(mutex_);
    bound_ = std::move(bound);
    state_ = State::kReady;
    probe_->SetState(metrics::NetworkState::kReady);
  }
  ShowParameters();
}

void HostedNetwork::ShowParameters() const {
  const auto set = parameters();
  probe_->SetUninitializedParameters(CountUninitialized(*network_, *set));
  probe_->SetParameterBytes(set->bytes());
}

std::optional<Executable> HostedNetwork::Find(std::span<const Shape> input_shapes) {
  if (auto now = bound()) {
    if (auto plan = now->plans.Find(input_shapes)) {
      probe_->RecordPlanCacheHit();
      return Executable{std::move(now), std::move(plan)};
    }
  }
  probe_->RecordPlanCacheMiss();
  return std::nullopt;
}

absl::Status HostedNetwork::Check(std::span<const Shape> input_shapes) const {
  const auto now = bound();
  const auto inference = network_->Infer(input_shapes, parameters()->sizes());
  if (inference.ok() || now == nullptr) return inference.status();
  return absl::Status(inference.status().code(), fmt::format("{} ({})", Message(inference.status()),
                                                             Describe(now->binding, *network_)));
}

absl::StatusOr<Executable> HostedNetwork::Prepare(std::span<const Shape> input_shapes) {
  const std::lock_guard preparing(preparing_);
  std::shared_ptr<BoundNetwork> target = bound();
  const bool first = target == nullptr;
  if (first) {
    ASSIGN_OR_RETURN(target, BindByRequest(input_shapes));
  } else {
    if (auto plan = target->plans.Find(input_shapes)) return Executable{target, std::move(plan)};
    RETURN_IF_ERROR(Check(input_shapes));
  }
  const auto start = Clock::now();
  auto plan = plan::Plan::Build(*network_, target->parameters, input_shapes,
                                backends_.For(network_->dtype()), target->packed, options_.plan);
  probe_->RecordPlanBuild(plan.ok(), Clock::now() - start);
  if (!plan.ok()) {
    // A first request that cannot be served must not bind the network.
    if (first) {
      const std::lock_guard lock(mutex_);
      state_ = State::kLazy;
      probe_->SetState(metrics::NetworkState::kLazy);
    }
    return plan.status();
  }
  probe_->RecordPlanCacheEvictions(target->plans.Insert(*plan));
  if (first) Publish(target);
  size_t bytes = 0;
  const auto plans = target->plans.plans();
  for (const auto& cached : plans) bytes += cached->bytes();
  probe_->SetPlanCache(plans.size(), bytes);
  probe_->SetPackedWeightBytes(target->packed.bytes());
  return Executable{std::move(target), *std::move(plan)};
}

}  // namespace lazynet::hosting
