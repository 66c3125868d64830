#include "service/metrics/rpc_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "service/metrics/registry.h"
#include "tests/service/metrics/text_format.h"

namespace lazynet::metrics {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kInfer = "inference.GRPCInferenceService/ModelInfer";

class RpcProbeTest : public testing::Test {
 protected:
  // Value("duration_seconds_count", "p.S/A", "OK") and the like.
  std::optional<double> Value(const std::string& name, const std::string& method,
                              const std::string& status = "", const std::string& more = "") {
    return ValueOf(registry_.Text(), "grpc_server_call_" + name + "{grpc_method=\"" + method + '"' +
                                         (status.empty() ? "" : ",grpc_status=\"" + status + '"') +
                                         more + "}");
  }

  Registry registry_;
  RpcProbe probe_{registry_, {"p.S/B", kInfer, "p.S/A"}};
};

TEST_F(RpcProbeTest, SeriesArePresentAtZeroFromTheStart) {
  for (const char* method : {"p.S/A", "p.S/B", kInfer, "other"}) {
    EXPECT_EQ(Value("started_total", method), 0) << method;
    for (const char* histogram : {"duration_seconds", "rcvd_total_compressed_message_size_bytes",
                                  "sent_total_compressed_message_size_bytes"}) {
      EXPECT_EQ(Value(std::string(histogram) + "_count", method, "OK"), 0) << method;
      EXPECT_EQ(Value(std::string(histogram) + "_bucket", method, "OK", ",le=\"+Inf\""), 0);
    }
  }
  EXPECT_EQ(Value("duration_seconds_count", kInfer, "RESOURCE_EXHAUSTED"), 0);
  EXPECT_EQ(Value("duration_seconds_count", "p.S/A", "RESOURCE_EXHAUSTED"), std::nullopt);
}

TEST_F(RpcProbeTest, CountsCallsByMethodAndStatus) {
  const MethodProbe method = probe_.Method("/p.S/A");
  for (int i = 0; i < 3; ++i) method.RecordStarted();
  method.RecordEnded(absl::StatusCode::kOk, milliseconds(3), 1024, 1025);
  method.RecordEnded(absl::StatusCode::kNotFound, milliseconds(5), 7, 0);
  EXPECT_EQ(Value("started_total", "p.S/A"), 3);
  EXPECT_EQ(Value("started_total", "p.S/B"), 0);
  EXPECT_EQ(Value("duration_seconds_count", "p.S/A", "OK"), 1);
  EXPECT_EQ(Value("duration_seconds_sum", "p.S/A", "OK"), 0.003);
  EXPECT_EQ(Value("duration_seconds_sum", "p.S/A", "NOT_FOUND"), 0.005);
  const std::string received = "rcvd_total_compressed_message_size_bytes";
  const std::string sent = "sent_total_compressed_message_size_bytes";
  EXPECT_EQ(Value(received + "_sum", "p.S/A", "NOT_FOUND"), 7);
  EXPECT_EQ(Value(received + "_bucket", "p.S/A", "OK", ",le=\"1024\""), 1);
  EXPECT_EQ(Value(sent + "_bucket", "p.S/A", "OK", ",le=\"1024\""), 0);
  EXPECT_EQ(Value(sent + "_bucket", "p.S/A", "OK", ",le=\"2048\""), 1);
  EXPECT_EQ(Value(sent + "_bucket", "p.S/A", "NOT_FOUND", ",le=\"0\""), 1);
}

TEST_F(RpcProbeTest, MakesNoLabelOfMethodsOutsideTheSet) {
  probe_.Method("/whatever.Client/Sent").RecordStarted();
  probe_.Method("").RecordStarted();
  probe_.Method("p.S").RecordStarted();
  EXPECT_EQ(Value("started_total", "other"), 3);
  EXPECT_THAT(registry_.Text(), Not(HasSubstr("whatever")));
}

TEST_F(RpcProbeTest, TakesACodeThatIsNoneAsUnknown) {
  probe_.Method("p.S/A").RecordEnded(static_cast<absl::StatusCode>(1000), milliseconds(1), 0, 0);
  EXPECT_EQ(Value("duration_seconds_count", "p.S/A", "UNKNOWN"), 1);
}

}  // namespace
}  // namespace lazynet::metrics
