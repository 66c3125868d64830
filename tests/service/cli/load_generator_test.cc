#include "service/cli/load_generator.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

#include "tests/service/cli/client_test.h"

namespace lazynet::cli {
namespace {

using Clock = std::chrono::steady_clock;

class LoadGeneratorTest : public ClientTest {};

uint64_t AllOf(const LoadWindow& window) {
  uint64_t all = window.latencies.count() + window.unsent;
  for (const auto& [code, latencies] : window.errors) all += latencies.count();
  return all;
}

constexpr double kRate = 10;

// When the first six requests of an open loop of this seed are due.
std::vector<Clock::duration> DueTimes(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(kRate);
  std::vector<Clock::duration> due;
  Clock::duration at{0};
  while (due.size() < 6) {
    at += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(gap(random)));
    due.push_back(at);
  }
  return due;
}

// However the time is cut, requests come when the seed says.
TEST_F(LoadGeneratorTest, AnOpenLoopGoesOnWhereItStopped) {
  server_.handlers.infer = [](const inference::ModelInferRequest&) {
    return absl::StatusOr<inference::ModelInferResponse>(inference::ModelInferResponse());
  };
  // One whose sixth request comes so late that there is no doubt of how many come before.
  uint64_t seed = 0;
  while (DueTimes(seed)[5] - DueTimes(seed)[4] < std::chrono::milliseconds(400)) ++seed;
  const Clock::duration between = (DueTimes(seed)[4] + DueTimes(seed)[5]) / 2;
  LoadGenerator load(server_.address(), {}, {{inference::ModelInferRequest(), 1}}, {.rate = kRate},
                     seed);
  LoadWindow all;
  while (all.time < between) all.Add(load.Run(std::chrono::milliseconds(5)));
  all.Add(load.Drain());
  EXPECT_EQ(AllOf(all), 5u);
}

}  // namespace
}  // namespace lazynet::cli
