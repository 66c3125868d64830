#include "service/handlers/reserved_parameters.h"

#include <gtest/gtest.h>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

using inference::InferParameter;

std::string Refusal(const std::string& name, const InferParameter& value) {
  inference::ModelInferRequest request;
  (*request.mutable_parameters())[name] = value;
  return std::string(Message(CheckReservedParameters(request)));
}

TEST(ReservedParameters, AreRefusedAndOthersAreTheUsers) {
  InferParameter yes;
  yes.set_bool_param(true);
  for (const char* name : {"headers", "binary_data_output", "triton_final_response", "triton_"}) {
    EXPECT_EQ(Refusal(name, yes),
              std::string("parameter \"") + name + "\" is reserved by the protocol");
  }
  for (const char* name : {"triton_enable_empty_final_response", "tritonesque", "Headers", ""}) {
    EXPECT_EQ(Refusal(name, yes), "") << name;
  }
  InferParameter number;
  number.set_int64_param(1);
  EXPECT_EQ(Refusal("triton_enable_empty_final_response", number),
            "parameter \"triton_enable_empty_final_response\" wants bool_param");
}

}  // namespace
}  // namespace lazynet::handlers
