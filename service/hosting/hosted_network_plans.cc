#include "engine/plan/lowering.h"
#include "service/hosting/hosted_network.h"

namespace lazynet::hosting {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

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

absl::Status HostedNetwork::AddPlan(const std::shared_ptr<BoundNetwork>& bound_then,
                                    std::span<const Shape> input_shapes, bool wide) {
  const std::lock_guard changing(changing_);
  if (bound() != bound_then) return absl::OkStatus();
  const int threads = wide ? environment_.options.wide_threads : 1;
  if (bound_then->plans.Find(input_shapes, threads) != nullptr) return absl::OkStatus();
  return BuildPlan(*bound_then, input_shapes, threads).status();
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
  // Requests can do without it.
  if (GainsFromWidening(executable)) AddPlan(executable.bound, input_shapes, true).IgnoreError();
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
  if (bound() == nullptr && environment_.state != nullptr) RETURN_IF_ERROR(AdoptOrSetAside());
  if (bound() == nullptr) {
    if (source != Binding::Source::kAdmin) RETURN_IF_ERROR(Check(input_shapes));
    auto outcome = BindAndPlan(input_shapes, source);
    // Another server was first; what it decided holds here, too.
    if (outcome.status().code() != absl::StatusCode::kAlreadyExists) return outcome;
    RETURN_IF_ERROR(AdoptOrSetAside());
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
        raw, [plan = std::move(plan), share = std::shared_ptr(std::move(share))](auto*) mutable {
          plan.reset();
          share.reset();  // counted until it is freed
        });
  };
  auto plan = make();
  probe_->RecordPlanBuild(plan.ok(), Clock::now() - start);
  RETURN_IF_ERROR(plan.status());
  bound.plans.Insert(*plan);
  return plan;
}

}  // namespace lazynet::hosting
