// `lazynet bench` against a server that answers at once. What it takes is not looked at, but that
// requests come as they should, and what is said of them.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

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
      const size_t bytes = request.raw_input_contents(0).size();
      wrong_ += request.model_name() == "m" && bytes == 24 ? 0 : 1;
      other_ += request.model_name() == "n" && bytes == 12 ? 1 : 0;
      --under_way_;
      if (requests_ > 2 && requests_ <= fails_up_to_) return absl::ResourceExhaustedError("full");
      inference::ModelInferResponse response;
      response.set_model_version("1");
      if (request.parameters().contains("lazynet_timing")) {
        auto& parameters = *response.mutable_parameters();
        parameters["lazynet_cold"].set_bool_param(requests_ == 1);
        parameters["lazynet_queue_us"].set_int64_param(1);
        parameters["lazynet_compute_us"].set_int64_param(2);
      }
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
    more.insert(more.begin(), {"m", "--input", "random:2x3"});
    return BenchOf(std::move(more));
  }
  Outcome BenchOf(std::vector<std::string> more) {
    if (std::find(more.begin(), more.end(), "--window") == more.end()) {
      more.insert(more.end(), {"--window", "0.02"});
    }
    more.insert(more.begin(), {"bench", "--windows", "4"});
    return Ask(more);
  }

  // A file with these lines.
  std::string Mix(const std::string& text) {
    std::ofstream(folder_ / "mix.txt") << text;
    return folder_ / "mix.txt";
  }

  const ScratchFolder folder_;
  std::atomic<int> requests_ = 0, wrong_ = 0, other_ = 0, under_way_ = 0, most_under_way_ = 0;
  std::atomic<int> fails_up_to_ = 0;
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

TEST_F(BenchTest, SendsAMixByItsWeights) {
  const std::string mix =
      Mix("# weight model inputs\n3 m random:2x3\n\n1 n/1 input=zeros:1x3 # n\n");
  const Outcome outcome =
      BenchOf({"--mix", mix, "--concurrency", "2", "--seed", "5", "--window", "0.2", "--json"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(wrong_, other_);
  EXPECT_NEAR(static_cast<double>(other_) / requests_, 0.25, 0.1);
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["model"], mix);
  ASSERT_EQ(report["kinds"].size(), 2u);
  EXPECT_EQ(report["kinds"][0]["request"], "m random:2x3");
  EXPECT_EQ(report["kinds"][0]["cold"], true);
  EXPECT_EQ(report["kinds"][1]["request"], "n/1 input=zeros:1x3");
  EXPECT_EQ(report["kinds"][1]["weight"], 1.0);
  EXPECT_EQ(report["kinds"][1]["cold"], false);
  const json& level = report["levels"][0];
  EXPECT_EQ(level["kinds"][0]["answers"].get<int>() + level["kinds"][1]["answers"].get<int>(),
            level["answers"]);
  EXPECT_NEAR(level["items_per_second"].get<double>(),
              2 * level["kinds"][0]["answers_per_second"].get<double>() +
                  level["kinds"][1]["answers_per_second"].get<double>(),
              0.01);
}

TEST_F(BenchTest, SaysWhatIsWrongWithAMix) {
  for (const auto& [text, message] :
       {std::pair{"", "wants 1 to 100 kinds of request, got 0"},
        {"1 m random:2x3\nx m random:2x3\n", "line 2: wants a weight above 0, got \"x\""},
        {"0 m random:2x3\n", "line 1: wants a weight above 0, got \"0\""},
        {"inf m random:2x3\n", "line 1: wants a weight above 0, got \"inf\""},
        {"1\n", "line 1: wants WEIGHT MODEL[/VERSION] [NAME=]SPEC..."},
        {"1 m\n", "line 1: model \"m\" wants inputs"},
        {"1 m nonsense:2\n", "line 1: "}}) {
    const Outcome outcome = BenchOf({"--mix", Mix(text)});
    EXPECT_EQ(outcome.code, kUsage) << text;
    EXPECT_THAT(outcome.err, HasSubstr(std::string("mix.txt: ") + message));
  }
  EXPECT_EQ(BenchOf({"--mix", folder_ / "none.txt"}).code, kUsage);
  EXPECT_EQ(Bench({"--mix", Mix("1 m random:2x3\n")}).code, kUsage);
  EXPECT_EQ(requests_, 0);
}

TEST_F(BenchTest, PrintsMarkdown) {
  const std::string mix = Mix("3 m random:2x3\n1 n zeros:1x3\n");
  const Outcome outcome = BenchOf({"--mix", mix, "--concurrency", "1,2", "--format", "markdown"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("\n## First answers\n\n| request | weight |"),
                    HasSubstr("\n| m random:2x3 | 3 | 2 |"),
                    HasSubstr("\n## Load\n\n| clients | requests/s |"), HasSubstr("|---|--:|"),
                    HasSubstr("\n## By request\n"), HasSubstr("\n| 2 | n zeros:1x3 |")));
}

TEST_F(BenchTest, PlotsLatencies) {
  const std::string file = folder_ / "plot.svg";
  const Outcome outcome =
      Bench({"--concurrency", "1,2", "--rate", "200", "--window", "0.3", "--plot", file});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  const std::string svg = text.str();
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_THAT(svg, AllOf(HasSubstr(">99.9</text>"), HasSubstr("2 clients: "),
                         HasSubstr("1 client: "), HasSubstr("200/s: ")));
  size_t lines = 0;
  for (size_t at = 0; (at = svg.find("<polyline", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 9u);  // of each level the percentiles, p50 and p99
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);

  requests_ = 0;
  EXPECT_EQ(Bench({"--plot", folder_ / "no/such/folder.svg"}).code, kUsage);
  EXPECT_EQ(requests_, 0);
}

TEST_F(BenchTest, TellsWhetherTheFirstAnswerWasCold) {
  EXPECT_THAT(Bench({}).out, HasSubstr(" us (cold), second "));
  EXPECT_THAT(Bench({}).out, ::testing::Not(HasSubstr("(cold)")));
}

TEST_F(BenchTest, FailedRequestsAreCountedAndTold) {
  fails_up_to_ = std::numeric_limits<int>::max();
  const Outcome outcome = Bench({"--json"});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("some requests failed"));
  const json level = json::parse(outcome.out)["levels"][0];
  EXPECT_EQ(level["answers"], 0);
  EXPECT_GT(level["errors"]["RESOURCE_EXHAUSTED"], 0);
  EXPECT_GT(level["error_latency_ns"]["RESOURCE_EXHAUSTED"]["percentiles"]["99"], 0);
  EXPECT_FALSE(level["stable"]);
}

TEST_F(BenchTest, FailedRequestsBeforeTheWindowsThatCountAreToldToo) {
  fails_up_to_ = 5;
  const Outcome outcome = Bench({"--json"});
  EXPECT_EQ(outcome.code, kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("some requests failed: 3 RESOURCE_EXHAUSTED"));
  EXPECT_GT(json::parse(outcome.out)["levels"][0]["answers"], 0);
}

// A request is under way while the statistics are asked for.
TEST_F(BenchTest, DoesNotMeasureItsOwnPause) {
  const auto pause = std::chrono::seconds(2);
  server_.handlers.statistics = [&](const inference::ModelStatisticsRequest&) {
    std::this_thread::sleep_for(pause);
    return absl::StatusOr<inference::ModelStatisticsResponse>();
  };
  const Outcome outcome = Bench({"--json"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  for (const json& moment : json::parse(outcome.out)["levels"][0]["moments"]) {
    EXPECT_LT(std::chrono::nanoseconds(moment["max_ns"].get<int64_t>()), pause);
  }
}

TEST_F(BenchTest, TheStatisticsHaveATimeOfTheirOwn) {
  const Outcome outcome = Bench({"--json", "--timeout", "0.5", "--window", "0.4"});
  ASSERT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["levels"][0]["server"]["queue_ns"], 7);
}

TEST_F(BenchTest, AnOldPlotStaysWhenThereIsNoLoad) {
  const std::string file = folder_ / "plot.svg";
  std::ofstream(file) << "old";
  server_.handlers.metadata = nullptr;
  EXPECT_EQ(Bench({"--plot", file}).code, kRefused);
  std::string text;
  std::ifstream(file) >> text;
  EXPECT_EQ(text, "old");
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
                                                {"--format", "xml"},
                                                {"--json", "--format=text"},
                                                {"--id", "a"}}) {
    EXPECT_EQ(Bench(wrong).code, kUsage) << wrong[0] << " " << wrong[1];
  }
  EXPECT_EQ(Ask({"bench", "m"}).code, kUsage);
  EXPECT_EQ(Ask({"bench", "--input", "random:2x3"}).code, kUsage);
  EXPECT_EQ(requests_, 0);
}

}  // namespace
}  // namespace lazynet::cli
