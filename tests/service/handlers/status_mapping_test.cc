#include "service/handlers/status_mapping.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/google/rpc/status.pb.h"

namespace lazynet::handlers {
namespace {

TEST(StatusMapping, KeepsCodeAndMessage) {
  const grpc::Status status = ToGrpc(absl::NotFoundError("no such model"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such model");
  EXPECT_TRUE(status.error_details().empty());
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
}

TEST(StatusMapping, CutsMessagesThatFitNoTrailer) {
  EXPECT_EQ(ToGrpc(absl::InternalError(std::string(5000, 'x'))).error_message(),
            std::string(2000, 'x') + "...");
  std::string accents = "x";
  for (int i = 0; i < 2000; ++i) accents += "\u00e9";  // two bytes each: 2000 is inside of one
  EXPECT_EQ(ToGrpc(absl::InternalError(accents)).error_message(), accents.substr(0, 1999) + "...");
}

TEST(StatusMapping, TellsWhenToTryAgainAsGoogleapisDo) {
  const absl::Status full =
      WithRetry(absl::ResourceExhaustedError("full"), std::chrono::milliseconds(2250));
  const grpc::Status status = ToGrpc(full);
  EXPECT_EQ(status.error_message(), "full");
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), static_cast<int>(grpc::StatusCode::RESOURCE_EXHAUSTED));
  EXPECT_EQ(details.message(), "full");
  ASSERT_EQ(details.details_size(), 1);
  google::rpc::RetryInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.retry_delay().seconds(), 2);
  EXPECT_EQ(info.retry_delay().nanos(), 250'000'000);
}

}  // namespace
}  // namespace lazynet::handlers
