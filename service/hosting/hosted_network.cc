#include "service/hosting/hosted_network.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "engine/plan/lowering.h"

namespace lazynet::hosting {
namespace {

using Clock = std::chrono::steady_clock;
using SystemClock = std::chrono::system_clock;

metrics::NetworkState ForMetrics(NetworkState state) {
  switch (state) {
    case NetworkState::kLazy:
      return metrics::NetworkState::kLazy;
    case NetworkState::kMaterializing:
      return metrics::NetworkState::kMaterializing;
    case NetworkState::kReady:
      return metrics::NetworkState::kReady;
    case NetworkState::kUnavailable:
      return metrics::NetworkState::kUnavailable;
  }
  return metrics::NetworkState::kUnavailable;
}

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
  }
  return metrics::MaterializationSource::kDefinition;
}

// Calls with every parameter that a node of the network owns: node, index.
template <typename Function>
void ForEachParameter(const nn::Network& network, const Function& function) {
  for (size_t node = 0; node < network.nodes().size(); ++node) {
    const int count = static_cast<int>(network.nodes()[node].parameters().size());
    for (int i = 0; i < count; ++i) function(static_cast<int>(node), i);
  }
}

std::string KeyOf(const nn::Network& network, int node, int parameter) {
  return network.nodes()[static_cast<size_t>(node)].ParameterName(parameter);
}

}  // namespace

HostedNetwork::HostedNetwork(HostedDefinition definition, const Environment& environment)
    : definition_(std::move(definition)),
      environment_(environment),
      probe_(std::make_shared<metrics::NetworkProbe>(environment.registry, network().name(),
                                                     std::to_string(version()))) {}

absl::StatusOr<std::shared_ptr<HostedNetwork>> HostedNetwork::Create(
    HostedDefinition definition, const Environment& environment) {
  std::shared_ptr<HostedNetwork> hosted(new HostedNetwork(std::move(definition), environment));
  RETURN_IF_ERROR(hosted->LoadCheckpoint());
  hosted->ShowState(State::kLazy);
  hosted->ShowParameters();
  hosted->Restore();
  if (hosted->bound() == nullptr) RETURN_IF_ERROR(hosted->Start());
  return hosted;
}

absl::Status HostedNetwork::LoadCheckpoint() {
  const nn::ParameterSet declared = nn::ParameterSet::Declared(network());
  ASSIGN_OR_RETURN(nn::ParameterSet loaded,
                   nn::LoadStateDict(network(), declared, definition_.checkpoint));
  base_ = std::make_shared<const nn::ParameterSet>(std::move(loaded));
  known_ = base_;
  return absl::OkStatus();
}

// Binds what needs no request.
absl::Status HostedNetwork::Start() {
  const bool eager = network().IsEager();
  // What constraints imply alone waits for the first request: a definition costs no parameters.
  if (known_->sizes_known() && (eager || !definition_.checkpoint.empty())) {
    return BindKnown(eager ? Binding::Source::kDefinition : Binding::Source::kCheckpoint, false);
  }
  if (serving().policy != BindingPolicy::kAtLoad) return absl::OkStatus();
  RETURN_IF_ERROR(serving().CheckLimits(network(), serving().bind_shapes));
  const Binding binding{Binding::Source::kAtLoad, serving().bind_shapes, SystemClock::now()};
  ASSIGN_OR_RETURN(auto bound, Materialized(*known_, serving().bind_shapes, binding));
  Publish(std::move(bound));
  return absl::OkStatus();
}

HostedNetwork::State HostedNetwork::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::shared_ptr<BoundNetwork> HostedNetwork::bound() const { return Look().first; }

std::shared_ptr<const nn::ParameterSet> HostedNetwork::parameters() const { return Look().second; }

std::pair<std::shared_ptr<BoundNetwork>, std::shared_ptr<const nn::ParameterSet>>
HostedNetwork::Look() const {
  const std::lock_guard lock(mutex_);
  if (bound_ == nullptr) return {nullptr, known_};
  return {bound_, {bound_, &bound_->parameters}};
}

void HostedNetwork::ShowState(State state) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
  }
  probe_->SetState(ForMetrics(state));
  environment_.events.Publish({.name = network().name(), .version = version(), .state = state});
}

void HostedNetwork::Publish(std::shared_ptr<BoundNetwork> bound) {
  {
    const std::lock_guard lock(mutex_);
    bound_ = std::move(bound);
    state_ = State::kReady;
  }
  ShowState(State::kReady);
  ShowParameters();
}

void HostedNetwork::Unbind(std::shared_ptr<const nn::ParameterSet> known) {
  {
    const std::lock_guard lock(mutex_);
    bound_ = nullptr;
    known_ = std::move(known);
    state_ = State::kLazy;
  }
  ShowState(State::kLazy);
  ShowParameters();
}

size_t HostedNetwork::MemoryBytes() const {
  const auto [now, set] = Look();
  return set->bytes() - set->mapped_bytes() + (now == nullptr ? 0 : now->shared.packed.bytes());
}

void HostedNetwork::ShowParameters() const {
  const auto set = parameters();
  size_t uninitialized = 0;
  ForEachParameter(network(), [&](int node, int i) {
    uninitialized += set->initialized(network(), node, i) ? 0 : 1;
  });
  probe_->SetUninitializedParameters(uninitialized);
  probe_->SetParameterBytes(set->bytes(), set->mapped_bytes());
}

std::optional<Executable> HostedNetwork::Find(std::span<const Shape> input_shapes) {
  if (auto now = bound()) {
    if (auto plan = now->plans.Find(input_shapes)) {
      probe_->RecordPlanCacheHit();
      auto wide = FindWide(*now, *plan, input_shapes);
      return Executable{std::move(now), std::move(plan), std::move(wide)};
    }
  }
  probe_->RecordPlanCacheMiss();
  return std::nullopt;
}

std::shared_ptr<const plan::Plan> HostedNetwork::FindWide(
    BoundNetwork& bound, const plan::Plan& plan, std::span<const Shape> input_shapes) const {
  const int threads = environment_.options.wide_threads;
  if (threads == 1 || !plan.gains_from_threads()) return nullptr;
  return bound.plans.Find(input_shapes, threads);
}

bool HostedNetwork::GainsFromWidening(const Executable& executable) const {
  return environment_.options.wide_threads > 1 && executable.wide == nullptr &&
         executable.plan->gains_from_threads();
}

void HostedNetwork::AddPlan(const std::shared_ptr<BoundNetwork>& bound_then,
                            std::span<const Shape> input_shapes, bool wide) {
  const std::lock_guard changing(changing_);
  if (bound() != bound_then) return;
  const int threads = wide ? environment_.options.wide_threads : 1;
  if (bound_then->plans.Find(input_shapes, threads) != nullptr) return;
  // A failure is counted, and leaves requests to the plans that there are.
  BuildPlan(*bound_then, input_shapes, threads).IgnoreError();
}

absl::StatusOr<nn::Inference> HostedNetwork::Infer(const BoundNetwork* bound,
                                                   const nn::ParameterSet& set,
                                                   std::span<const Shape> input_shapes) const {
  RETURN_IF_ERROR(serving().CheckLimits(network(), input_shapes));
  auto inference = network().Infer(input_shapes, set.sizes());
  if (inference.ok() || bound == nullptr) return inference;
  return absl::Status(inference.status().code(), fmt::format("{} ({})", Message(inference.status()),
                                                             Describe(bound->binding, network())));
}

absl::Status HostedNetwork::CheckShapes(std::span<const Shape> input_shapes) const {
  const auto [now, set] = Look();
  return Infer(now.get(), *set, input_shapes).status();
}

absl::Status HostedNetwork::Check(std::span<const Shape> input_shapes) const {
  const auto [now, set] = Look();
  RETURN_IF_ERROR(Infer(now.get(), *set, input_shapes).status());
  if (now == nullptr && serving().policy == BindingPolicy::kByAdmin) {
    return FailedPrecondition(
        "the network is not bound yet, and its binding policy is BY_ADMIN: InitializeParameters "
        "or a state dict must bind it first");
  }
  return absl::OkStatus();
}

absl::StatusOr<PlanView> HostedNetwork::ViewPlan(std::span<const Shape> input_shapes) const {
  const auto [now, set] = Look();
  ASSIGN_OR_RETURN(const nn::Inference inference, Infer(now.get(), *set, input_shapes));
  PlanView view;
  for (const nn::NetworkOutput& output : network().outputs()) {
    view.outputs.push_back(inference.shape(output.source));
  }
  if (now == nullptr) {
    view.description = plan::DescribeGraph(plan::LowerShapes(network(), inference));
    return view;
  }
  view.bound = now;
  ASSIGN_OR_RETURN(view.plan,
                   plan::Plan::Build(network(), now->parameters, input_shapes, environment_.backend,
                                     now->shared, environment_.options.plan, &view.description));
  return view;
}

absl::StatusOr<Executable> HostedNetwork::Prepare(std::span<const Shape> input_shapes) {
  return PrepareFor(input_shapes, Binding::Source::kFirstRequest);
}

absl::StatusOr<Executable> HostedNetwork::Initialize(std::span<const Shape> input_shapes) {
  return PrepareFor(input_shapes, Binding::Source::kAdmin);
}

absl::StatusOr<Executable> HostedNetwork::PrepareFor(std::span<const Shape> input_shapes,
                                                     Binding::Source source) {
  const std::lock_guard changing(changing_);
  if (bound() == nullptr && environment_.state != nullptr &&
      environment_.state->Has(network().name(), version())) {
    RETURN_IF_ERROR(Adopt());
  }
  if (bound() == nullptr) {
    if (source == Binding::Source::kFirstRequest) RETURN_IF_ERROR(Check(input_shapes));
    auto outcome = BindAndPlan(input_shapes, source);
    // Another server was first; what it decided holds here, too.
    if (outcome.status().code() != absl::StatusCode::kAlreadyExists) return outcome;
    RETURN_IF_ERROR(Adopt());
  }
  std::shared_ptr<BoundNetwork> target = bound();
  if (target == nullptr) return absl::AbortedError("the parameters were reset meanwhile");
  std::shared_ptr<const plan::Plan> plan = target->plans.Find(input_shapes);
  if (plan == nullptr) {
    RETURN_IF_ERROR(Check(input_shapes));
    ASSIGN_OR_RETURN(plan, BuildPlan(*target, input_shapes));
  }
  auto wide = FindWide(*target, *plan, input_shapes);
  return Executable{std::move(target), std::move(plan), std::move(wide)};
}

// Nothing is published before the plan stands: a first request that cannot be served must not bind
// the network.
absl::StatusOr<Executable> HostedNetwork::BindAndPlan(std::span<const Shape> input_shapes,
                                                      Binding::Source source) {
  ShowState(State::kMaterializing);
  const auto make = [&]() -> absl::StatusOr<Executable> {
    std::vector<Shape> shapes(input_shapes.begin(), input_shapes.end());
    const Binding binding{source, shapes, SystemClock::now()};
    ASSIGN_OR_RETURN(auto bound, Materialized(*parameters(), std::move(shapes), binding));
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

nn::MaterializeOptions HostedNetwork::OptionsToMaterialize() const {
  nn::MaterializeOptions options = environment_.options.materialize;
  options.max_parameter_bytes =
      std::min(options.max_parameter_bytes, serving().max_parameter_bytes);
  return options;
}

std::shared_ptr<BoundNetwork> HostedNetwork::MakeBound(
    nn::ParameterSet set, const Binding& binding,
    std::unique_ptr<ParameterBudget::Share> share) const {
  const HostingOptions& options = environment_.options;
  const size_t plans_per_shape = options.wide_threads > 1 ? 2 : 1;
  return std::make_shared<BoundNetwork>(std::move(set), binding, std::move(share),
                                        environment_.plans,
                                        options.shapes_per_network * plans_per_shape, probe_);
}

absl::StatusOr<std::shared_ptr<BoundNetwork>> HostedNetwork::Materialized(
    const nn::ParameterSet& known, std::optional<std::vector<Shape>> input_shapes,
    Binding binding) const {
  const auto start = Clock::now();
  const nn::MaterializeOptions options = OptionsToMaterialize();
  const auto make = [&]() -> absl::StatusOr<std::shared_ptr<BoundNetwork>> {
    std::vector<nn::Sizes> sizes = known.sizes();
    if (input_shapes) {
      ASSIGN_OR_RETURN(nn::Inference inference, network().Infer(*input_shapes, sizes));
      sizes = std::move(inference.sizes);
    }
    ASSIGN_OR_RETURN(const size_t bytes, nn::ParameterBytes(network(), known, sizes, options));
    ASSIGN_OR_RETURN(auto share, environment_.budget.Take(bytes));
    auto set = input_shapes ? nn::Materialize(network(), known, *input_shapes, options)
                            : nn::MaterializeKnown(network(), known, options);
    RETURN_IF_ERROR(set.status());
    return MakeBound(*std::move(set), binding, std::move(share));
  };
  auto made = make();
  probe_->RecordMaterialization(ForMetrics(binding.source), made.ok(), Clock::now() - start);
  return made;
}

absl::StatusOr<std::shared_ptr<const plan::Plan>> HostedNetwork::BuildPlan(
    BoundNetwork& bound, std::span<const Shape> shapes, int threads) const {
  const auto start = Clock::now();
  plan::PlanOptions options = environment_.options.plan;
  options.threads = threads;
  auto plan = plan::Plan::Build(network(), bound.parameters, shapes, environment_.backend,
                                bound.shared, options);
  probe_->RecordPlanBuild(plan.ok(), Clock::now() - start);
  RETURN_IF_ERROR(plan.status());
  bound.plans.Insert(*plan);
  return plan;
}

absl::Status HostedNetwork::BindKnown(Binding::Source source, bool remember) {
  const Binding binding{source, {}, SystemClock::now()};
  ASSIGN_OR_RETURN(auto bound, Materialized(*parameters(), std::nullopt, binding));
  if (remember) RETURN_IF_ERROR(Remember(*bound));
  Publish(std::move(bound));
  return absl::OkStatus();
}

Forecast HostedNetwork::Foresee(std::span<const Shape> input_shapes) const {
  const auto [now, set] = Look();
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
    if (!set->value(node, i)) forecast.created.emplace_back(node, i);
  });
  for (const nn::NetworkOutput& output : network().outputs()) {
    forecast.outputs.push_back(inference->shape(output.source));
  }
  const nn::MaterializeOptions options = OptionsToMaterialize();
  const auto bytes = nn::ParameterBytes(network(), *set, forecast.sizes, options);
  if (!bytes.ok()) {
    forecast.errors.push_back(bytes.status());
    return forecast;
  }
  forecast.parameter_bytes = *bytes;
  forecast.created_bytes = *bytes - set->bytes();
  if (now == nullptr) {
    if (absl::Status status = environment_.budget.Check(*bytes); !status.ok()) {
      forecast.errors.push_back(status);
    }
  }
  return forecast;
}

absl::Status HostedNetwork::Load(const nn::StateDict& values, nn::LoadOptions options, bool dry,
                                 nn::LoadReport& report) {
  const std::lock_guard changing(changing_);
  const auto [now, set] = Look();
  options.origin = nn::Origin::kClient;
  ASSIGN_OR_RETURN(nn::ParameterSet loaded,
                   nn::LoadStateDict(network(), *set, values, options, &report));
  if (dry) return absl::OkStatus();
  if (now == nullptr) {
    auto known = std::make_shared<const nn::ParameterSet>(std::move(loaded));
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
    ASSIGN_OR_RETURN(auto bound, Materialized(*known, std::nullopt, binding));
    absl::Status remembered = Remember(*bound);
    if (remembered.code() == absl::StatusCode::kAlreadyExists) {
      RETURN_IF_ERROR(Adopt());
      return absl::AbortedError(
          "another server on this state directory bound the network first; its parameters have "
          "been taken over: load again");
    }
    RETURN_IF_ERROR(remembered);
    Publish(std::move(bound));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(auto share, environment_.budget.Take(loaded.bytes()));
  auto bound = MakeBound(std::move(loaded), now->binding, std::move(share));
  bound->replaced = now->replaced;
  ForEachParameter(network(), [&](int node, int i) {
    const bool drawn = set->value(node, i)->origin == nn::Origin::kInitializer;
    const bool given = bound->parameters.value(node, i)->origin == nn::Origin::kClient;
    if (drawn && given) bound->replaced.insert(KeyOf(network(), node, i));
  });
  if (environment_.state != nullptr) {
    RETURN_IF_ERROR(environment_.state->Replace(network().name(), version(), StateOf(*bound)));
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

SavedState HostedNetwork::StateOf(const BoundNetwork& bound) const {
  SavedState state{.definition = definition_.fingerprint,
                   .binding = bound.binding,
                   .parameter_hash = bound.hash(network()),
                   .replaced = bound.replaced};
  ForEachParameter(network(), [&](int node, int i) {
    const auto& value = bound.parameters.value(node, i);
    if (value->origin == nn::Origin::kClient) {
      state.client_values.emplace_back(KeyOf(network(), node, i), value->tensor);
    }
  });
  return state;
}

// ALREADY_EXISTS when another server has bound the network.
absl::Status HostedNetwork::Remember(const BoundNetwork& bound) {
  if (environment_.state == nullptr) return absl::OkStatus();
  const SavedState state = StateOf(bound);
  absl::Status created = environment_.state->Create(network().name(), version(), state);
  if (created.code() != absl::StatusCode::kAlreadyExists) return created;
  // Values that were loaded before there was a binding may be replaced by the same and more.
  const auto saved = environment_.state->Load(network().name(), version());
  if (!saved.ok() || !*saved || (*saved)->binding) return created;
  return environment_.state->Replace(network().name(), version(), state);
}

// What a state makes of the definition and checkpoint. `known` becomes what it says without a
// binding; null is returned then.
absl::StatusOr<std::shared_ptr<BoundNetwork>> HostedNetwork::FromState(
    const SavedState& state, nn::ParameterSet& known) const {
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
  ASSIGN_OR_RETURN(known, nn::LoadStateDict(network(), *base_, before, options));
  if (!state.binding) return std::shared_ptr<BoundNetwork>();
  std::optional<std::vector<Shape>> shapes;
  if (!state.binding->input_shapes.empty()) shapes = state.binding->input_shapes;
  if (shapes && shapes->size() != network().inputs().size()) {
    return FailedPrecondition("it was saved for {} inputs, the network has {}", shapes->size(),
                              network().inputs().size());
  }
  ASSIGN_OR_RETURN(auto bound, Materialized(known, std::move(shapes), *state.binding));
  if (!after.empty()) {
    ASSIGN_OR_RETURN(nn::ParameterSet all,
                     nn::LoadStateDict(network(), bound->parameters, after, options));
    ASSIGN_OR_RETURN(auto share, environment_.budget.Take(all.bytes()));
    bound = MakeBound(std::move(all), *state.binding, std::move(share));
    bound->replaced = state.replaced;
  }
  if (bound->hash(network()) != state.parameter_hash) {
    return FailedPrecondition(
        "the parameters would not be the same: the checkpoint beside the definition, or how "
        "values are drawn, has changed");
  }
  return bound;
}

// Another server's state, or an earlier run's, becomes this one's.
absl::Status HostedNetwork::Adopt() {
  ASSIGN_OR_RETURN(const auto saved, environment_.state->Load(network().name(), version()));
  if (!saved) return absl::OkStatus();  // it was reset meanwhile
  nn::ParameterSet known = *base_;
  ASSIGN_OR_RETURN(auto bound, FromState(*saved, known));
  if (bound != nullptr) {
    Publish(std::move(bound));
    return absl::OkStatus();
  }
  const std::lock_guard lock(mutex_);
  known_ = std::make_shared<const nn::ParameterSet>(std::move(known));
  return absl::OkStatus();
}

void HostedNetwork::Restore() {
  if (environment_.state == nullptr || !environment_.state->Has(network().name(), version())) {
    return;
  }
  const absl::Status adopted = Adopt();
  if (adopted.ok()) return;
  set_aside_ = Message(adopted);
  // Only what cannot fit is set aside; what memory or the disk refuse now may be right later.
  const bool misfit = adopted.code() == absl::StatusCode::kFailedPrecondition ||
                      adopted.code() == absl::StatusCode::kInvalidArgument;
  if (misfit) {
    const absl::Status aside =
        environment_.state->SetAside(network().name(), version(), set_aside_);
    if (!aside.ok()) set_aside_ += fmt::format(" (and could not be renamed: {})", Message(aside));
  }
  spdlog::warn("model {} version {}: the remembered state is not used: {}", network().name(),
               version(), set_aside_);
}

}  // namespace lazynet::hosting
