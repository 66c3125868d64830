#include "service/handlers/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/service/support/captured_log.h"

namespace lazynet::handlers {
namespace {

using Line = RequestLog::Line;
using logging::Format;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::CapturedLog;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RequestLogTest : public ::testing::Test {
 protected:
  // As InferJob does it.
  void Record(const absl::Status& status, std::chrono::nanoseconds total,
              const std::optional<TraceContext>& trace = std::nullopt) {
    times_.total = total;
    const auto line = log_.LineFor(status, total);
    if (!line) return;
    log_.Write(*line,
               {.id = "r1",
                .model = "mnist",
                .version = "2",
                .status = status,
                .times = times_,
                .items = 8},
               trace);
  }

  RequestLog::Time now_{};
  RequestLog log_{milliseconds(100), [this] { return now_; }};
  hosting::RequestTimes times_{.build = microseconds(1),
                               .queue = microseconds(2),
                               .compute_input = microseconds(3),
                               .compute_infer = microseconds(4),
                               .compute_output = microseconds(5)};
};

TEST_F(RequestLogTest, ASlowRequestHasALineWithWhatEachStageTook) {
  const CapturedLog log(Format::kJson, spdlog::level::info);
  Record(absl::OkStatus(), milliseconds(100));
  EXPECT_THAT(log.Lines(), IsEmpty());
  Record(absl::OkStatus(), milliseconds(101), TraceContext{"abc", "def"});
  ASSERT_THAT(log.Lines(), SizeIs(1));
  auto line = nlohmann::json::parse(log.Lines()[0]);
  line.erase("time");
  EXPECT_EQ(line, nlohmann::json::parse(R"({
      "level": "warning", "message": "slow request", "request_id": "r1", "model": "mnist",
      "version": "2", "code": "OK", "items": 8, "build_us": 1, "queue_us": 2,
      "compute_input_us": 3, "compute_infer_us": 4, "compute_output_us": 5, "total_us": 101000,
      "trace_id": "abc", "span_id": "def"})"));
}

TEST_F(RequestLogTest, AFaultOfTheServerIsAnErrorWithItsText) {
  const CapturedLog log(Format::kText, spdlog::level::info);
  Record(absl::InternalError("kernel \"x\" failed"), milliseconds(1));
  Record(absl::InvalidArgumentError("wants 3, got 4"), milliseconds(1));  // is not
  ASSERT_THAT(log.Lines(), SizeIs(1));
  EXPECT_THAT(log.Lines()[0],
              ::testing::HasSubstr(R"(error request failed request_id=r1 model=mnist version=2 )"
                                   R"(code=INTERNAL error="kernel \"x\" failed" items=8)"));
}

TEST_F(RequestLogTest, EveryRequestHasALineAtDebugLevel) {
  const CapturedLog log(Format::kText, spdlog::level::debug);
  for (int i = 0; i < 50; ++i) Record(absl::NotFoundError("no such model"), milliseconds(1));
  ASSERT_THAT(log.Lines(), SizeIs(50));
  EXPECT_THAT(log.Lines()[49], ::testing::HasSubstr("debug request request_id=r1"));
  EXPECT_THAT(log.Lines()[49], ::testing::HasSubstr("code=NOT_FOUND error=\"no such model\""));
}

TEST_F(RequestLogTest, SlowRequestsCannotFloodTheLog) {
  const CapturedLog log(Format::kText, spdlog::level::info);
  for (int i = 0; i < 1000; ++i) Record(absl::OkStatus(), seconds(1));
  EXPECT_THAT(log.Lines(), SizeIs(10));
  now_ += seconds(1);
  Record(absl::OkStatus(), seconds(1));
  ASSERT_THAT(log.Lines(), SizeIs(11));
  EXPECT_THAT(log.Lines()[10], ::testing::EndsWith("lines_dropped=990"));
  // Nor do they keep errors from it.
  Record(absl::InternalError("e"), seconds(1));
  EXPECT_THAT(log.Lines(), SizeIs(12));
}

TEST_F(RequestLogTest, NothingIsSlowWithoutALimit) {
  const CapturedLog log(Format::kText, spdlog::level::info);
  const RequestLog none{std::chrono::nanoseconds(0)};
  EXPECT_EQ(none.LineFor(absl::OkStatus(), seconds(100)), std::nullopt);
  EXPECT_EQ(log_.LineFor(absl::OkStatus(), seconds(100)), Line::kSlow);
}

TEST(RefusedLoad, HasOneLine) {
  const CapturedLog log(Format::kText, spdlog::level::info);
  LogRefusedLoad("mnist", absl::FailedPreconditionError("version 1: no\nsuch layer"));
  ASSERT_THAT(log.Lines(), SizeIs(1));
  EXPECT_THAT(log.Lines()[0],
              ::testing::EndsWith(R"(error load refused model=mnist code=FAILED_PRECONDITION )"
                                  R"(error="version 1: no\nsuch layer")"));
}

}  // namespace
}  // namespace lazynet::handlers
