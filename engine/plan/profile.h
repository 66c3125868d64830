#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/plan/plan.h"

namespace lazynet::plan {

struct ProfileOptions {
  int runs = 1;                                   // at most, >= 1
  std::chrono::nanoseconds time{10'000'000'000};  // no run begins after that, but for the first
  std::function<bool()> cancelled;                // asked before each run; null: it never is
};

// Times of a whole run, all groups included, which are run one after the other.
struct StepTimes {
  int runs = 0;
  std::vector<std::chrono::nanoseconds> steps;  // per step, the median
  std::chrono::nanoseconds total{0};            // the median of the sums
};

// Inputs that a plan takes: floats uniform in [0, 1), always the same; anything else, such as ids,
// is 0. RESOURCE_EXHAUSTED when the memory cannot be had.
absl::StatusOr<std::vector<Tensor>> MakeInputs(const Plan& plan);

// Runs a plan on these inputs, once to warm up and then as often as the options say, and times its
// steps. Of a plan with very many steps runs are fewer, so that the times fit into memory.
// CANCELLED, and the errors of Plan::Profile.
absl::StatusOr<StepTimes> MeasureSteps(const Plan& plan, std::span<const Tensor> inputs,
                                       const ProfileOptions& options);

}  // namespace lazynet::plan
