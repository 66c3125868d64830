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
    case NetworkState::kEvicted:
      return metrics::NetworkState::kEvicted;
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
    case Binding::Source::kWarmUp:
      return metrics::MaterializationSource::kWarmUp;
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

std::vector<Shape> ShapesOf(const plan::Plan& plan) {
  std::vector<Shape> shapes;
  for (const plan::TensorSpec& input : plan.inputs()) shapes.push_back(input.shape);
  return shapes;
}

// Memory of the values in `set` that `before` has not.
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

// Whether evicting the parameters would free it, and lose it where nothing remembers it.
bool IsLoaded(const nn::ParameterValue& value) {
  return value.origin == nn::Origin::kClient && !value.tensor.mapped();
}

bool HasLoaded(const nn::ParameterSet& set) {
  bool any = false;
  set.ForEachValue([&](const nn::ParameterValue& value) { any |= IsLoaded(value); });
  return any;
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
                                                     std::to_string(version()))) {}

absl::StatusOr<std::shared_ptr<HostedNetwork>> HostedNetwork::Create(
    HostedDefinition definition, const Environment& environment) {
  std::shared_ptr<HostedNetwork> hosted(new HostedNetwork(std::move(definition), environment));
  RETURN_IF_ERROR(hosted->LoadCheckpoint());
  hosted->ShowState(State::kLazy);
  hosted->ShowParameters();
  hosted->Restore();
  hosted->LoadShapes();
  if (hosted->bound() == nullptr) RETURN_IF_ERROR(hosted->Start());
  return hosted;
}

absl::Status HostedNetwork::LoadCheckpoint() {
  const nn::ParameterSet declared = nn::ParameterSet::Declared(network());
  ASSIGN_OR_RETURN(nn::ParameterSet loaded,
                   nn::LoadStateDict(network(), declared, definition_.checkpoint));
  RETURN_IF_ERROR(
      environment_.budget.Admit(NewBytes(network(), loaded, nullptr), "parameters", this));
  base_ = Counted(std::move(loaded));
  known_ = base_;
  return absl::OkStatus();
}

// Counts as long as the set is there.
HostedNetwork::Known HostedNetwork::Counted(nn::ParameterSet set) const {
  struct Holder {
    nn::ParameterSet set;
    MemoryBudget::Shares shares;  // gone before the set
  };
  auto holder = std::make_shared<Holder>(Holder{std::move(set), {}});
  holder->shares = environment_.budget.Hold(holder->set);
  return {holder, &holder->set};
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
  ASSIGN_OR_RETURN(auto bound, Materialized(*known_, serving().bind_shapes, binding,
                                            ForMetrics(binding.source)));
  Publish(std::move(bound));
  return absl::OkStatus();
}

HostedNetwork::~HostedNetwork() { environment_.budget.Leave(resident_, false); }

HostedNetwork::State HostedNetwork::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
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
    evicted_ = nullptr;
    state_ = State::kReady;
  }
  environment_.budget.Enter(shared_from_this(), resident_);
  ShowState(State::kReady);
  ShowParameters();
}

void HostedNetwork::Unbind(Known known) {
  environment_.budget.Leave(resident_, false);
  {
    const std::lock_guard lock(mutex_);
    bound_ = nullptr;
    evicted_ = nullptr;
    known_ = std::move(known);
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
  // Of each request: no more is looked at than has to be.
  std::shared_ptr<BoundNetwork> now;
  {
    const std::lock_guard lock(mutex_);
    now = bound_;
  }
  if (now != nullptr) {
    if (auto plan = now->plans.Find(input_shapes)) {
      probe_->RecordPlanCacheHit();
      resident_.RecordUse();
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

absl::StatusOr<PlanView> HostedNetwork::ViewPlan(std::span<const Shape> input_shapes) {
  ASSIGN_OR_RETURN(const nn::Inference inference, Infer(Look(), input_shapes));
  // Held, so that they are not evicted meanwhile.
  ASSIGN_OR_RETURN(const auto parameters, ParametersWithValues());
  const std::shared_ptr<BoundNetwork> now = bound();
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
  auto prepared = PrepareFor(input_shapes, Binding::Source::kFirstRequest);
  // The request that it is for uses it.
  if (prepared.ok()) prepared->bound->plans.Find(input_shapes);
  return prepared;
}

absl::Status HostedNetwork::WarmUp(std::span<const Shape> input_shapes) {
  ASSIGN_OR_RETURN(const Executable executable, PrepareFor(input_shapes, Binding::Source::kWarmUp));
  if (GainsFromWidening(executable)) AddPlan(executable.bound, input_shapes, true);
  return absl::OkStatus();
}

absl::StatusOr<Executable> HostedNetwork::Initialize(std::span<const Shape> input_shapes) {
  return PrepareFor(input_shapes, Binding::Source::kAdmin);
}

absl::StatusOr<Executable> HostedNetwork::PrepareFor(std::span<const Shape> input_shapes,
                                                     Binding::Source source) {
  const std::lock_guard changing(changing_);
  if (Look().evicted != nullptr) {
    // Before it makes others go.
    RETURN_IF_ERROR(Check(input_shapes));
    RETURN_IF_ERROR(BringBack());
  }
  if (bound() == nullptr && environment_.state != nullptr &&
      environment_.state->Has(network().name(), version())) {
    RETURN_IF_ERROR(Adopt());
  }
  if (bound() == nullptr) {
    if (source != Binding::Source::kAdmin) RETURN_IF_ERROR(Check(input_shapes));
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
    ASSIGN_OR_RETURN(auto bound,
                     Materialized(*parameters(), std::move(shapes), binding, ForMetrics(source)));
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

std::shared_ptr<BoundNetwork> HostedNetwork::MakeBound(nn::ParameterSet set,
                                                       const Binding& binding) const {
  const HostingOptions& options = environment_.options;
  const size_t plans_per_shape = options.wide_threads > 1 ? 2 : 1;
  return std::make_shared<BoundNetwork>(std::move(set), binding, environment_.budget, this,
                                        environment_.plans,
                                        options.shapes_per_network * plans_per_shape, probe_);
}

absl::StatusOr<std::shared_ptr<BoundNetwork>> HostedNetwork::Materialized(
    const nn::ParameterSet& known, std::optional<std::vector<Shape>> input_shapes, Binding binding,
    metrics::MaterializationSource source) const {
  const auto start = Clock::now();
  const nn::MaterializeOptions options = OptionsToMaterialize();
  const auto make = [&]() -> absl::StatusOr<std::shared_ptr<BoundNetwork>> {
    std::vector<nn::Sizes> sizes = known.sizes();
    if (input_shapes) {
      ASSIGN_OR_RETURN(nn::Inference inference, network().Infer(*input_shapes, sizes));
      sizes = std::move(inference.sizes);
    }
    ASSIGN_OR_RETURN(const size_t bytes, nn::ParameterBytes(network(), known, sizes, options));
    ASSIGN_OR_RETURN(auto room,
                     environment_.budget.Take(bytes - known.bytes(), "parameters", this));
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

absl::StatusOr<std::shared_ptr<const plan::Plan>> HostedNetwork::BuildPlan(
    BoundNetwork& bound, std::span<const Shape> shapes, int threads) const {
  const auto start = Clock::now();
  plan::PlanOptions options = environment_.options.plan;
  options.threads = threads;
  const auto make = [&]() -> absl::StatusOr<std::shared_ptr<const plan::Plan>> {
    ASSIGN_OR_RETURN(auto plan, plan::Plan::Build(network(), bound.parameters, shapes,
                                                  environment_.backend, bound.shared, options));
    MemoryBudget& budget = environment_.budget;
    // A lane will want it.
    RETURN_IF_ERROR(
        budget.Admit(plan->arena_bytes() + plan->scratch_bytes(), "intermediate values", this));
    ASSIGN_OR_RETURN(auto share, budget.Take(plan->own_bytes(), "plans", this));
    const plan::Plan* raw = plan.get();
    return std::shared_ptr<const plan::Plan>(
        raw, [plan = std::move(plan), share = std::shared_ptr(std::move(share))](auto*) {});
  };
  auto plan = make();
  probe_->RecordPlanBuild(plan.ok(), Clock::now() - start);
  RETURN_IF_ERROR(plan.status());
  bound.plans.Insert(*plan);
  return plan;
}

absl::Status HostedNetwork::BindKnown(Binding::Source source, bool remember) {
  const Binding binding{source, {}, SystemClock::now()};
  ASSIGN_OR_RETURN(auto bound,
                   Materialized(*parameters(), std::nullopt, binding, ForMetrics(source)));
  if (remember) RETURN_IF_ERROR(Remember(*bound));
  Publish(std::move(bound));
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
  const nn::MaterializeOptions options = OptionsToMaterialize();
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
    Known known = Counted(std::move(loaded));
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
    ASSIGN_OR_RETURN(auto bound,
                     Materialized(*known, std::nullopt, binding, ForMetrics(binding.source)));
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
  auto bound = MakeBound(std::move(loaded), now->binding);
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
    const SavedState& state, nn::ParameterSet& known, metrics::MaterializationSource source) const {
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
  ASSIGN_OR_RETURN(auto bound, Materialized(known, std::move(shapes), *state.binding, source));
  if (!after.empty()) {
    ASSIGN_OR_RETURN(nn::ParameterSet all,
                     nn::LoadStateDict(network(), bound->parameters, after, options));
    bound = MakeBound(std::move(all), *state.binding);
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
  const auto source = saved->binding ? saved->binding->source : Binding::Source::kClient;
  ASSIGN_OR_RETURN(auto bound, FromState(*saved, known, ForMetrics(source)));
  if (bound != nullptr) {
    Publish(std::move(bound));
    return absl::OkStatus();
  }
  Known counted = Counted(std::move(known));
  const std::lock_guard lock(mutex_);
  known_.swap(counted);
  return absl::OkStatus();
}

void HostedNetwork::LoadShapes() {
  if (environment_.state == nullptr) return;
  auto loaded =
      environment_.state->LoadShapes(network().name(), version(), definition_.fingerprint);
  if (!loaded.ok()) {
    spdlog::warn("model {} version {}: the remembered shapes are not used: {}", network().name(),
                 version(), Message(loaded.status()));
    return;
  }
  if (!*loaded) return;
  remembered_shapes_ = **std::move(loaded);
  saved_shapes_ = shapes_ = remembered_shapes_;
  shapes_.Age();
}

absl::Status HostedNetwork::RecordShapes() {
  if (environment_.state == nullptr) return absl::OkStatus();
  if (const auto now = bound(); now != nullptr) {
    for (const auto& [plan, uses] : now->plans.TakeUses()) {
      // The one for many threads is looked for whenever the other one is.
      if (plan->threads() == 1) shapes_.Add(ShapesOf(*plan), uses);
    }
  }
  if (shapes_.SameOrder(saved_shapes_)) return absl::OkStatus();
  RETURN_IF_ERROR(environment_.state->SaveShapes(network().name(), version(),
                                                 definition_.fingerprint, shapes_));
  saved_shapes_ = shapes_;
  return absl::OkStatus();
}

size_t HostedNetwork::EvictableBytes() const {
  if (serving().pinned) return 0;
  const std::lock_guard lock(mutex_);
  if (bound_ == nullptr) return 0;
  size_t bytes = bound_->plans.bytes();
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
  SavedState state = StateOf(bound);
  if (!HasLoaded(bound.parameters)) return state;
  if (environment_.state == nullptr) return FailedPrecondition("nothing remembers what was loaded");
  ASSIGN_OR_RETURN(auto saved, environment_.state->Load(network().name(), version()));
  if (!saved || saved->parameter_hash != state.parameter_hash) {
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
  auto state = StateToKeep(*gone);
  if (!state.ok()) return false;
  nn::ParameterSet kept = gone->parameters.WithoutDrawnValues();
  if (!state->client_values.empty()) {
    const nn::LoadOptions options{.origin = nn::Origin::kClient};
    auto with_mapped = nn::LoadStateDict(network(), kept, state->client_values, options);
    if (!with_mapped.ok()) return false;
    kept = *std::move(with_mapped);
  }
  auto evicted =
      std::make_shared<const EvictedNetwork>(EvictedNetwork{*std::move(state), std::move(kept)});
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
  auto bound = FromState(evicted->state, known, metrics::MaterializationSource::kEvicted);
  if (!bound.ok()) return Annotate("evicted parameters", bound.status());
  Publish(*std::move(bound));
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
