#include "engine/plan/profile.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "engine/core/convert.h"

namespace lazynet::plan {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr size_t kMaxTimes = size_t{1} << 22;

absl::StatusOr<Tensor> Zeros(const TensorSpec& spec) {
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(spec.dtype, spec.shape));
  std::memset(tensor.mutable_view().data, 0, tensor.bytes());
  return tensor;
}

absl::StatusOr<Tensor> Uniform(const TensorSpec& spec) {
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(DType::kFp32, spec.shape));
  uint32_t state = 1;
  for (float& value : tensor.mutable_view().values<float>()) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(state >> 8) * 0x1p-24f;
  }
  return Converted(tensor, spec.dtype);
}

nanoseconds Median(std::vector<nanoseconds>& times) {
  const auto middle = times.begin() + static_cast<ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> MakeInputs(const Plan& plan) {
  std::vector<Tensor> inputs;
  for (const TensorSpec& spec : plan.inputs()) {
    ASSIGN_OR_RETURN(Tensor input, IsFloating(spec.dtype) ? Uniform(spec) : Zeros(spec));
    inputs.push_back(std::move(input));
  }
  return inputs;
}

absl::StatusOr<StepTimes> MeasureSteps(const Plan& plan, std::span<const Tensor> inputs,
                                       const ProfileOptions& options) {
  std::vector<TensorView> sources;
  for (const Tensor& input : inputs) sources.push_back(input.view());
  ASSIGN_OR_RETURN(std::vector<Tensor> outputs, plan.AllocateOutputs());
  std::vector<MutableTensorView> destinations;
  for (Tensor& output : outputs) destinations.push_back(output.mutable_view());
  Workspace workspace;
  const auto run = [&](std::span<nanoseconds> times) -> absl::Status {
    if (options.cancelled && options.cancelled()) return absl::CancelledError("cancelled");
    return plan.Profile(sources, destinations, workspace, times);
  };

  const size_t steps = plan.step_count();
  const size_t most = std::max<size_t>(kMaxTimes / std::max<size_t>(steps, 1), 1);
  const size_t runs = std::min(static_cast<size_t>(options.runs), most);
  std::vector<nanoseconds> times(steps);
  RETURN_IF_ERROR(run(times));
  std::vector<std::vector<nanoseconds>> by_step(steps);
  std::vector<nanoseconds> totals;
  const Clock::time_point begin = Clock::now();
  while (totals.size() < runs && (totals.empty() || Clock::now() - begin < options.time)) {
    std::fill(times.begin(), times.end(), nanoseconds(0));
    RETURN_IF_ERROR(run(times));
    for (size_t i = 0; i < steps; ++i) by_step[i].push_back(times[i]);
    totals.push_back(std::accumulate(times.begin(), times.end(), nanoseconds(0)));
  }
  StepTimes result{.runs = static_cast<int>(totals.size()), .steps = {}, .total = Median(totals)};
  for (std::vector<nanoseconds>& of_step : by_step) result.steps.push_back(Median(of_step));
  return result;
}

}  // namespace lazynet::plan
