#include "service/metrics/network_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "service/metrics/registry.h"
#include "tests/service/metrics/text_format.h"

namespace lazynet::metrics {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class NetworkProbeTest : public testing::Test {
 protected:
  // The value of one of the network's series: Value("requests_total", "code", "OK").
  std::optional<double> Value(const std::string& name, const std::string& more = "") {
    return ValueOf(registry_.Text(), "lazynet_" + name + "{model=\"mlp\",version=\"1\"" +
                                         (more.empty() ? "" : ",") + more + "}");
  }

  // What a histogram's buckets are called, in order.
  std::vector<std::string> Bounds(const std::string& name) {
    std::vector<std::string> bounds;
    std::istringstream lines(registry_.Text());
    const std::string start = "lazynet_" + name + R"(_bucket{model="mlp",version="1",le=")";
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(start)) {
        bounds.push_back(line.substr(start.size(), line.find('"', start.size()) - start.size()));
      }
    }
    return bounds;
  }

  Registry registry_;
  std::optional<NetworkProbe> probe_{std::in_place, registry_, "mlp", "1"};
};

TEST_F(NetworkProbeTest, EverySeriesIsPresentAtZeroFromTheStart) {
  for (const char* code :
       {"OK", "CANCELLED", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
        "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE"}) {
    EXPECT_EQ(Value("requests_total", std::string("code=\"") + code + '"'), 0) << code;
  }
  for (const char* name :
       {"request_duration_seconds", "queue_duration_seconds", "compute_duration_seconds",
        "materialize_duration_seconds", "plan_build_duration_seconds", "batch_size"}) {
    EXPECT_EQ(Value(std::string(name) + "_count"), 0) << name;
    EXPECT_EQ(Value(std::string(name) + "_sum"), 0) << name;
    EXPECT_EQ(Value(std::string(name) + "_bucket", "le=\"+Inf\""), 0) << name;
  }
  for (const char* name :
       {"requests_in_flight", "uninitialized_parameters", "parameter_bytes", "packed_weight_bytes",
        "plan_cache_hits_total", "plan_cache_misses_total", "plan_cache_evictions_total",
        "plan_cache_entries", "plan_cache_bytes"}) {
    EXPECT_EQ(Value(name), 0) << name;
  }
  for (const char* reason : {"queue_full", "build_queue_full", "draining", "other"}) {
    EXPECT_EQ(Value("shed_total", std::string("reason=\"") + reason + '"'), 0) << reason;
  }
  for (const char* stage : {"queue", "build", "other"}) {
    EXPECT_EQ(Value("deadline_expired_total", std::string("stage=\"") + stage + '"'), 0) << stage;
  }
  for (const char* outcome : {"success", "failure"}) {
    const std::string label = std::string("outcome=\"") + outcome + '"';
    EXPECT_EQ(Value("plan_builds_total", label), 0) << outcome;
    for (const char* source :
         {"first_request", "admin", "at_load", "checkpoint", "client", "definition"}) {
      EXPECT_EQ(Value("materializations_total", std::string("source=\"") + source + "\"," + label),
                0)
          << source;
    }
  }
  for (const char* state : {"lazy", "materializing", "ready", "unavailable"}) {
    EXPECT_EQ(Value("network_state", std::string("state=\"") + state + '"'), 0) << state;
  }
}

TEST_F(NetworkProbeTest, CountsRequestsByCodeAndTime) {
  probe_->RecordRequest(absl::StatusCode::kOk, milliseconds(3));
  probe_->RecordRequest(absl::StatusCode::kOk, microseconds(7));
  probe_->RecordRequest(absl::StatusCode::kInvalidArgument, microseconds(500));
  EXPECT_EQ(Value("requests_total", R"(code="OK")"), 2);
  EXPECT_EQ(Value("requests_total", R"(code="INVALID_ARGUMENT")"), 1);
  EXPECT_EQ(Value("request_duration_seconds_count"), 3);
  EXPECT_EQ(Value("request_duration_seconds_sum"), 0.003507);
}

TEST_F(NetworkProbeTest, ShowsACodeTheServerShouldNotAnswerOnceItDid) {
  EXPECT_EQ(Value("requests_total", R"(code="DATA_LOSS")"), std::nullopt);
  probe_->RecordRequest(absl::StatusCode::kDataLoss, milliseconds(1));
  probe_->RecordRequest(static_cast<absl::StatusCode>(1000), milliseconds(1));
  probe_->RecordRequest(static_cast<absl::StatusCode>(-1), milliseconds(1));
  EXPECT_EQ(Value("requests_total", R"(code="DATA_LOSS")"), 1);
  EXPECT_EQ(Value("requests_total", R"(code="UNKNOWN")"), 2);
}

TEST_F(NetworkProbeTest, BucketsIncludeTheirBound) {
  probe_->RecordQueue(microseconds(10));
  probe_->RecordQueue(microseconds(10) + nanoseconds(1));
  probe_->RecordQueue(seconds(100));
  probe_->RecordQueue(seconds(101));
  EXPECT_EQ(Value("queue_duration_seconds_bucket", R"(le="1e-05")"), 1);
  EXPECT_EQ(Value("queue_duration_seconds_bucket", R"(le="5e-05")"), 2);
  EXPECT_EQ(Value("queue_duration_seconds_bucket", R"(le="50")"), 2);
  EXPECT_EQ(Value("queue_duration_seconds_bucket", R"(le="100")"), 3);
  EXPECT_EQ(Value("queue_duration_seconds_bucket", R"(le="+Inf")"), 4);
  EXPECT_EQ(Value("queue_duration_seconds_count"), 4);
}

// The bounds that gRFC A66 gives for latencies: rates of buckets can be added to a gRPC peer's.
TEST_F(NetworkProbeTest, DurationsHaveTheBoundsOfGrpc) {
  EXPECT_THAT(Bounds("request_duration_seconds"),
              ElementsAre("0", "1e-05", "5e-05", "0.0001", "0.0003", "0.0006", "0.0008", "0.001",
                          "0.002", "0.003", "0.004", "0.005", "0.006", "0.008", "0.01", "0.013",
                          "0.016", "0.02", "0.025", "0.03", "0.04", "0.05", "0.065", "0.08", "0.1",
                          "0.13", "0.16", "0.2", "0.25", "0.3", "0.4", "0.5", "0.65", "0.8", "1",
                          "2", "5", "10", "20", "50", "100", "+Inf"));
}

TEST_F(NetworkProbeTest, PreparationsHaveFewerOfThem) {
  for (const char* name : {"materialize_duration_seconds", "plan_build_duration_seconds"}) {
    EXPECT_THAT(Bounds(name),
                ElementsAre("0.0001", "0.0003", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05",
                            "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50", "100", "+Inf"));
  }
}

TEST_F(NetworkProbeTest, TakesATimeThatRanBackwardsAsNone) {
  probe_->RecordQueue(nanoseconds(-5));
  EXPECT_EQ(Value("queue_duration_seconds_bucket", R"(le="0")"), 1);
  EXPECT_EQ(Value("queue_duration_seconds_sum"), 0);
}

TEST_F(NetworkProbeTest, MeasuresBatches) {
  probe_->RecordCompute(milliseconds(20), 1);
  probe_->RecordCompute(milliseconds(30), 24);
  probe_->RecordCompute(milliseconds(50), 5000);
  EXPECT_EQ(Value("compute_duration_seconds_count"), 3);
  EXPECT_EQ(Value("compute_duration_seconds_sum"), 0.1);
  EXPECT_EQ(Value("batch_size_bucket", R"(le="1")"), 1);
  EXPECT_EQ(Value("batch_size_bucket", R"(le="16")"), 1);
  EXPECT_EQ(Value("batch_size_bucket", R"(le="32")"), 2);
  EXPECT_EQ(Value("batch_size_bucket", R"(le="1024")"), 2);
  EXPECT_EQ(Value("batch_size_count"), 3);
  EXPECT_EQ(Value("batch_size_sum"), 5025);
}

TEST_F(NetworkProbeTest, FollowsRequestsInFlight) {
  probe_->RequestStarted();
  probe_->RequestStarted();
  probe_->RequestFinished();
  EXPECT_EQ(Value("requests_in_flight"), 1);
}

TEST_F(NetworkProbeTest, CountsRefusalsByReasonAndStage) {
  probe_->RecordShed("queue_full");
  probe_->RecordShed("draining");
  probe_->RecordShed("draining");
  probe_->RecordDeadlineExpired("build");
  EXPECT_EQ(Value("shed_total", R"(reason="queue_full")"), 1);
  EXPECT_EQ(Value("shed_total", R"(reason="draining")"), 2);
  EXPECT_EQ(Value("deadline_expired_total", R"(stage="build")"), 1);
}

TEST_F(NetworkProbeTest, MakesNoLabelOfTextOutsideTheSets) {
  probe_->RecordShed("whatever a client sent");
  probe_->RecordDeadlineExpired("");
  EXPECT_EQ(Value("shed_total", R"(reason="other")"), 1);
  EXPECT_EQ(Value("deadline_expired_total", R"(stage="other")"), 1);
  EXPECT_THAT(registry_.Text(), Not(HasSubstr("whatever")));
}

TEST_F(NetworkProbeTest, TimesOnlyWhatSucceeded) {
  probe_->RecordMaterialization(MaterializationSource::kFirstRequest, false, microseconds(1));
  probe_->RecordMaterialization(MaterializationSource::kFirstRequest, true, milliseconds(250));
  probe_->RecordMaterialization(MaterializationSource::kCheckpoint, true, milliseconds(500));
  EXPECT_EQ(Value("materializations_total", R"(source="first_request",outcome="success")"), 1);
  EXPECT_EQ(Value("materializations_total", R"(source="first_request",outcome="failure")"), 1);
  EXPECT_EQ(Value("materializations_total", R"(source="checkpoint",outcome="success")"), 1);
  EXPECT_EQ(Value("materialize_duration_seconds_count"), 2);
  EXPECT_EQ(Value("materialize_duration_seconds_sum"), 0.75);

  probe_->RecordPlanBuild(true, milliseconds(40));
  probe_->RecordPlanBuild(false, seconds(9));
  EXPECT_EQ(Value("plan_builds_total", R"(outcome="success")"), 1);
  EXPECT_EQ(Value("plan_builds_total", R"(outcome="failure")"), 1);
  EXPECT_EQ(Value("plan_build_duration_seconds_sum"), 0.04);
}

TEST_F(NetworkProbeTest, HasOneStateAtATime) {
  probe_->SetState(NetworkState::kLazy);
  EXPECT_EQ(Value("network_state", R"(state="lazy")"), 1);
  probe_->SetState(NetworkState::kReady);
  EXPECT_EQ(Value("network_state", R"(state="lazy")"), 0);
  EXPECT_EQ(Value("network_state", R"(state="materializing")"), 0);
  EXPECT_EQ(Value("network_state", R"(state="ready")"), 1);
  EXPECT_EQ(Value("network_state", R"(state="unavailable")"), 0);
}

TEST_F(NetworkProbeTest, ReportsMemoryAndPlans) {
  probe_->SetUninitializedParameters(4);
  probe_->SetParameterBytes(size_t{3} << 32, 77);
  probe_->RecordPackedWeightChange(2000);
  probe_->RecordPackedWeightChange(-766);
  probe_->RecordPlanCacheChange(6, 7000);
  probe_->RecordPlanCacheChange(-1, -211);
  probe_->RecordPlanCacheHit();
  probe_->RecordPlanCacheHit();
  probe_->RecordPlanCacheMiss();
  probe_->RecordPlanCacheEviction(seconds(30));
  probe_->RecordPlanCacheEviction(seconds(90));
  EXPECT_EQ(Value("uninitialized_parameters"), 4);
  EXPECT_EQ(Value("parameter_bytes"), 12884901888.0);
  EXPECT_EQ(Value("mapped_parameter_bytes"), 77);
  EXPECT_EQ(Value("packed_weight_bytes"), 1234);
  EXPECT_EQ(Value("plan_cache_entries"), 5);
  EXPECT_EQ(Value("plan_cache_bytes"), 6789);
  EXPECT_EQ(Value("plan_cache_hits_total"), 2);
  EXPECT_EQ(Value("plan_cache_misses_total"), 1);
  EXPECT_EQ(Value("plan_cache_evictions_total"), 2);
  EXPECT_EQ(Value("plan_age_at_eviction_seconds_sum"), 120);
  EXPECT_EQ(Value("plan_age_at_eviction_seconds_bucket", R"(le="60")"), 1);
}

TEST_F(NetworkProbeTest, TakesItsSeriesAlongWhenItGoes) {
  const NetworkProbe other_version(registry_, "mlp", "2");
  probe_.reset();
  EXPECT_THAT(registry_.Text(), Not(HasSubstr(R"(model="mlp",version="1")")));
  EXPECT_THAT(registry_.Text(), HasSubstr(R"(model="mlp",version="2")"));
  probe_.emplace(registry_, "mlp", "1");
  EXPECT_EQ(Value("requests_total", R"(code="OK")"), 0);
}

TEST_F(NetworkProbeTest, SharesItsSeriesWithASecondProbeOfTheNetwork) {
  std::optional<NetworkProbe> second(std::in_place, registry_, "mlp", "1");
  probe_->RecordPlanCacheHit();
  second->RecordPlanCacheHit();
  probe_->SetState(NetworkState::kReady);
  second->SetState(NetworkState::kLazy);
  EXPECT_EQ(Value("plan_cache_hits_total"), 2);
  EXPECT_EQ(Value("network_state", R"(state="lazy")"), 1);
  EXPECT_EQ(Value("network_state", R"(state="ready")"), 0);

  probe_.reset();
  EXPECT_EQ(Value("plan_cache_hits_total"), 2);
  second.reset();
  EXPECT_EQ(Value("plan_cache_hits_total"), std::nullopt);
}

TEST_F(NetworkProbeTest, ThousandsOfNetworksComeAndGo) {
  std::vector<std::unique_ptr<NetworkProbe>> probes;
  for (int i = 0; i < 10'000; ++i) {
    probes.push_back(std::make_unique<NetworkProbe>(registry_, "net" + std::to_string(i), "1"));
  }
  probes.clear();  // from the oldest on; minutes if each one searched the others
  EXPECT_THAT(registry_.Text(), Not(HasSubstr("net1")));
}

TEST_F(NetworkProbeTest, RecordsFromManyThreadsUnderScrapes) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20'000;
  std::atomic<int> running = kThreads;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        probe_->RequestStarted();
        probe_->RecordQueue(microseconds(20));
        probe_->RecordCompute(microseconds(100), 4);
        probe_->RecordRequest(absl::StatusCode::kOk, microseconds(150));
        probe_->RequestFinished();
        probe_->SetState(NetworkState::kReady);
        if (round % 1000 == 0) const NetworkProbe loaded(registry_, "reloaded", "1");
      }
      --running;
    });
  }
  double before = 0;
  while (running > 0) {
    const std::string text = registry_.Text();
    const std::string labels = R"({model="mlp",version="1")";
    const auto count = ValueOf(text, "lazynet_request_duration_seconds_count" + labels + "}");
    const auto last =
        ValueOf(text, "lazynet_request_duration_seconds_bucket" + labels + ",le=\"+Inf\"}");
    ASSERT_TRUE(count && last);
    EXPECT_EQ(*count, *last);
    EXPECT_GE(*count, before);
    before = *count;
    double states = 0;
    for (const char* state : {"lazy", "materializing", "ready", "unavailable"}) {
      states +=
          ValueOf(text, "lazynet_network_state" + labels + ",state=\"" + state + "\"}").value();
    }
    EXPECT_LE(states, 1);
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(Value("requests_total", R"(code="OK")"), kThreads * kRounds);
  EXPECT_EQ(Value("requests_in_flight"), 0);
  EXPECT_EQ(Value("batch_size_sum"), 4 * kThreads * kRounds);
  EXPECT_EQ(Value("request_duration_seconds_sum"), 12);  // 80,000 times 150 us
  EXPECT_THAT(registry_.Text(), Not(HasSubstr("reloaded")));
}

TEST_F(NetworkProbeTest, BytesOfTwoProbesAddUpAndGoWithTheirProbe) {
  probe_->SetParameterBytes(100, 10);
  std::optional<NetworkProbe> next{std::in_place, registry_, "mlp", "1"};
  next->SetParameterBytes(30, 0);
  EXPECT_EQ(Value("parameter_bytes"), 130);
  probe_->SetParameterBytes(50, 5);
  EXPECT_EQ(Value("parameter_bytes"), 80);
  EXPECT_EQ(Value("mapped_parameter_bytes"), 5);
  probe_.reset();
  EXPECT_EQ(Value("parameter_bytes"), 30);
  EXPECT_EQ(Value("mapped_parameter_bytes"), 0);
}

}  // namespace
}  // namespace lazynet::metrics
