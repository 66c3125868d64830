#include "service/handlers/infer_parameters.h"

#include <gtest/gtest.h>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

using inference::ModelInferRequest;

TEST(InferParameters, AreNoneWhenNothingIsSaid) {
  ModelInferRequest request;
  (*request.mutable_parameters())["unknown"].set_string_param("left alone");
  const auto parameters = ReadParameters(request);
  ASSERT_TRUE(parameters.ok());
  EXPECT_EQ(parameters->priority, 0);
  EXPECT_EQ(parameters->timeout.count(), 0);
}

TEST(InferParameters, AreReadFromEitherIntegerType) {
  ModelInferRequest request;
  (*request.mutable_parameters())["priority"].set_uint64_param(2);
  (*request.mutable_parameters())["timeout"].set_int64_param(1500);
  const auto parameters = ReadParameters(request);
  ASSERT_TRUE(parameters.ok());
  EXPECT_EQ(parameters->priority, 2);
  EXPECT_EQ(parameters->timeout.count(), 1500);
}

TEST(InferParameters, NameWhatIsWrong) {
  ModelInferRequest request;
  auto& timeout = (*request.mutable_parameters())["timeout"];
  timeout.set_string_param("1s");
  EXPECT_EQ(Message(ReadParameters(request).status()),
            "parameter \"timeout\" wants int64_param or uint64_param");
  timeout.set_int64_param(-5);
  EXPECT_EQ(Message(ReadParameters(request).status()),
            "parameter \"timeout\" wants at least 0, got -5");
  timeout.set_uint64_param(UINT64_MAX);
  EXPECT_EQ(ReadParameters(request).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lazynet::handlers
