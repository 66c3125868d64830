// `lazynet bench` against a server that answers at once. What it takes is not looked at, but that
// requests come as they should, and what is said of them.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "tests/service/cli/client_test.h"

namespace lazynet::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class BenchTest : public ClientTest {
 protected:
  BenchTest() {
    server_.handlers.metadata = [](const inference::ModelMetadataRequest&) {
      inference::ModelMetadataResponse metadata;
      auto& input = *metadata.add_inputs();
      input.set_name("input");
      input.set_datatype("FP32");
      input.add_shape(-1);
      input.add_shape(3);
      return absl::StatusOr<inference::ModelMetadataResponse>(metadata);
    };
    server_.handlers.infer = [this](const inference::ModelInferRequest& request)
        -> absl::StatusOr<inference::ModelInferResponse> {
      const int now = ++under_way_;
      int most = most_under_way_;
      while (now > most && !most_under_way_.compare_exchange_weak(most, now)) {
      }
      ++requests_;
      wrong_ += request.model_name() == "m" && request.raw_input_contents(0).size() == 24 ? 0 : 1;
      --under_way_;
      if (fails_ && requests_ > 1) return absl::ResourceExhaustedError("full");
      inference::ModelInferResponse response;
      response.set_model_version("1");
      return response;
    };
    server_.handlers.statistics = [this](const inference::ModelStatisticsRequest&) {
      inference::ModelStatisticsResponse response;
      auto& stats = *response.add_model_stats()->mutable_inference_stats();
      stats.mutable_success()->set_count(static_cast<uint64_t>(requests_.load()));
      stats.mutable_queue()->set_ns(static_cast<uint64_t>(requests_.load()) * 7);
      return absl::StatusOr<inference::ModelStatisticsResponse>(response);
    };
  }

  Outcome Bench(std::vector<std::string> more) {
    std::vector<std::string> args{"bench",    "m",    "--input",   "random:2x3",
                                  "--window", "0.02", "--windows", "4"};
    args.insert(args.end(), more.begin(), more.end());
    return Ask(args);
  }

  std::atomic<int> requests_ = 0, wrong_ = 0, under_way_ = 0, most_under_way_ = 0;
  std::atomic<bool> fails_ = false;
};

TEST_F(BenchTest, MeasuresEachLevelInTurn) {
  const Outcome outcome = Bench({"--concurrency", "1,3", "--rate", "500", "--json"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(wrong_, 0);
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["model"], "m");
  EXPECT_EQ(report["items"], 2);
  EXPECT_GT(report["first_answer_ns"], 0);
  ASSERT_EQ(report["levels"].size(), 3u);
  EXPECT_EQ(report["levels"][0]["clients"], 1);
  EXPECT_EQ(report["levels"][1]["clients"], 3);
  EXPECT_TRUE(report["levels"][1]["rate"].is_null());
  EXPECT_EQ(report["levels"][2]["rate"], 500.0);
  EXPECT_TRUE(report["levels"][2]["clients"].is_null());
  for (const json& level : report["levels"]) {
    EXPECT_GT(level["answers"], 0);
    EXPECT_TRUE(level["errors"].empty());
    EXPECT_LE(level["latency_ns"]["percentiles"]["50"], level["latency_ns"]["percentiles"]["99"]);
    EXPECT_LE(level["latency_ns"]["percentiles"]["99.9"], level["latency_ns"]["max"]);
    EXPECT_EQ(level["server"]["queue_ns"], 7);
  }
}

TEST_F(BenchTest, OneClientHasOneRequestUnderWay) {
  ASSERT_EQ(Bench({}).code, kDone);
  EXPECT_EQ(most_under_way_, 1);
  EXPECT_GT(requests_, 10);
}

TEST_F(BenchTest, PrintsATable) {
  const Outcome outcome = Bench({"--concurrency", "2"});
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("m, 2 items a request, first answer"), HasSubstr("clients"),
                    HasSubstr("p99.9"), HasSubstr("Latencies in us")));
}

TEST_F(BenchTest, FailedRequestsAreCountedAndTold) {
  fails_ = true;
  const Outcome outcome = Bench({"--json"});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("some requests failed"));
  const json level = json::parse(outcome.out)["levels"][0];
  EXPECT_EQ(level["answers"], 0);
  EXPECT_GT(level["errors"]["RESOURCE_EXHAUSTED"], 0);
  EXPECT_FALSE(level["stable"]);
}

TEST_F(BenchTest, AServerWithoutStatisticsIsMeasuredAllTheSame) {
  server_.handlers.statistics = nullptr;
  const Outcome outcome = Bench({"--json"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_TRUE(json::parse(outcome.out)["levels"][0]["server"].is_null());
}

TEST_F(BenchTest, RefusesWhatCannotBe) {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--concurrency", "0"},
                                                {"--concurrency", "1,x"},
                                                {"--rate", "0"},
                                                {"--window", "0"},
                                                {"--windows", "0"},
                                                {"--id", "a"}}) {
    EXPECT_EQ(Bench(wrong).code, kUsage) << wrong[0] << " " << wrong[1];
  }
  EXPECT_EQ(Ask({"bench", "m"}).code, kUsage);
  EXPECT_EQ(requests_, 0);
}

}  // namespace
}  // namespace lazynet::cli
