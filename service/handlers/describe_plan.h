#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/hosting/hosted_network.h"
#include "service/scheduling/build_lane.h"

namespace lazynet::handlers {

// DescribePlan of LazyNetworkService: looks into plans, and measures them. Safe for use by many
// threads.
class PlanDescriber {
 public:
  struct Limits {
    size_t input_bytes = size_t{64} << 20;  // of all inputs: what a request may hold
    size_t output_bytes = size_t{2} << 30;  // of all outputs, where a plan is run
  };

  // `build_lane` is there while calls come.
  PlanDescriber(scheduling::BuildLane& build_lane, Limits limits)
      : build_lane_(build_lane), limits_(limits) {}

  // The plan for these shapes, which were checked for rank and size; empty: for those of the cached
  // plan that was used last. Runs it `profile_runs` times, on the calling thread, if that is not 0.
  // Gives up with CANCELLED when `cancelled` says so. FAILED_PRECONDITION when there is no cached
  // plan, or no plan to run as the network is not bound; RESOURCE_EXHAUSTED beyond the limits, when
  // too much waits for the build lane, and while another plan is measured.
  absl::Status Describe(std::shared_ptr<hosting::HostedNetwork> hosted, std::vector<Shape> shapes,
                        int profile_runs, const std::function<bool()>& cancelled,
                        v1::DescribePlanResponse& response);

 private:
  // On the build lane.
  absl::StatusOr<hosting::PlanView> View(std::shared_ptr<hosting::HostedNetwork> hosted,
                                         std::vector<Shape> shapes,
                                         const std::function<bool()>& cancelled);
  absl::Status Measure(const plan::Plan& plan, int runs, const std::function<bool()>& cancelled,
                       v1::DescribePlanResponse& response);

  scheduling::BuildLane& build_lane_;
  const Limits limits_;
  std::atomic<bool> measuring_{false};
};

}  // namespace lazynet::handlers
