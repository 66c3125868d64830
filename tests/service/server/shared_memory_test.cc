// Tensors in shared memory, and the calls that register it, as tritonclient uses them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/service/support/live_server.h"
#include "tests/service/support/shared_memory_object.h"

namespace lazynet {
namespace {

using inference::ModelInferRequest;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::InferAnswer;
using testing::LiveServer;
using ::testing::Not;
using testing::SharedMemoryObject;
using testing::TemporaryRepository;

config::ServerConfig Served(bool served, int64_t max_message_bytes = 1 << 20) {
  config::ServerConfig config;
  config.shared_memory = served;
  config.max_message_bytes = max_message_bytes;
  return config;
}

class SharedMemory : public ::testing::Test {
 protected:
  SharedMemory() {
    repository_.Write("sum/network.textproto", R"(
        inputs { name: "a" } inputs { name: "b" }
        layers { name: "y" inputs: "a" inputs: "b" add {} } outputs { name: "y" layer: "y" }
        outputs { name: "a" layer: "a" })");
    repository_.Write("mask/network.textproto", R"(
        inputs { name: "m" datatype: "BOOL" } layers { name: "y" inputs: "m" logical_not {} })");
    Start(Served(true));
  }

  void Start(const config::ServerConfig& config) {
    live_.reset();
    live_ = std::make_unique<LiveServer>(repository_.path(), config);
  }

  grpc::Status Register(const std::string& name, uint64_t offset, uint64_t bytes) {
    inference::SystemSharedMemoryRegisterRequest request;
    request.set_name(name);
    request.set_key(object_.key());
    request.set_offset(offset);
    request.set_byte_size(bytes);
    inference::SystemSharedMemoryRegisterResponse response;
    grpc::ClientContext context;
    return live_->inference().SystemSharedMemoryRegister(&context, request, &response);
  }
  grpc::Status Unregister(const std::string& name) {
    inference::SystemSharedMemoryUnregisterRequest request;
    request.set_name(name);
    inference::SystemSharedMemoryUnregisterResponse response;
    grpc::ClientContext context;
    return live_->inference().SystemSharedMemoryUnregister(&context, request, &response);
  }

  template <typename Tensor>
  static void Place(Tensor& tensor, const std::string& region, int64_t bytes, int64_t offset = 0) {
    auto& parameters = *tensor.mutable_parameters();
    parameters["shared_memory_region"].set_string_param(region);
    parameters["shared_memory_byte_size"].set_int64_param(bytes);
    if (offset > 0) parameters["shared_memory_offset"].set_int64_param(offset);
  }

  // Of two inputs of two numbers.
  static ModelInferRequest Sum() {
    ModelInferRequest request;
    request.set_model_name("sum");
    for (const char* name : {"a", "b"}) {
      auto& input = *request.add_inputs();
      input.set_name(name);
      input.set_datatype("FP32");
      input.add_shape(2);
    }
    request.add_outputs()->set_name("y");
    return request;
  }

  void Fill(size_t offset, std::vector<float> values) {
    std::copy(values.begin(), values.end(), object_.at<float>(offset));
  }
  std::vector<float> Floats(size_t offset, size_t count) {
    const auto* values = object_.at<float>(offset);
    return {values, values + count};
  }
  static std::string Raw(std::vector<float> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
  }

  SharedMemoryObject object_{4096};
  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(SharedMemory, CarriesInputsAndOutputs) {
  ASSERT_TRUE(Register("in", 0, 64).ok());
  ASSERT_TRUE(Register("out", 1024, 64).ok());
  Fill(0, {1, 2});
  Fill(40, {10, 20});
  ModelInferRequest request = Sum();
  request.add_outputs()->set_name("a");
  Place(*request.mutable_inputs(0), "in", 8);
  Place(*request.mutable_inputs(1), "in", 8, 40);
  Place(*request.mutable_outputs(0), "out", 32, 16);
  const InferAnswer answer = live_->Infer(request);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_THAT(Floats(1024 + 16, 3), ElementsAre(11, 22, 0));
  const auto& output = answer.response.outputs(0);
  EXPECT_EQ(output.datatype(), "FP32");
  EXPECT_THAT(answer.shape(0), ElementsAre(2));
  EXPECT_EQ(output.parameters().at("shared_memory_region").string_param(), "out");
  EXPECT_EQ(output.parameters().at("shared_memory_byte_size").int64_param(), 8);
  EXPECT_EQ(output.parameters().at("shared_memory_offset").int64_param(), 16);
  // One raw entry for each output; of this one an empty one.
  ASSERT_EQ(answer.response.raw_output_contents_size(), 2);
  EXPECT_EQ(answer.response.raw_output_contents(0), "");
  EXPECT_THAT(answer.floats(1), ElementsAre(1, 2));
}

TEST_F(SharedMemory, ContentsOfTheMessageAreForTheOtherInputs) {
  ASSERT_TRUE(Register("in", 0, 64).ok());
  Fill(0, {1, 2});
  ModelInferRequest raw = Sum();
  Place(*raw.mutable_inputs(0), "in", 8);
  ModelInferRequest typed = raw;
  raw.add_raw_input_contents(Raw({10, 20}));
  for (const float value : {10.0f, 20.0f}) {
    typed.mutable_inputs(1)->mutable_contents()->add_fp32_contents(value);
  }
  for (const ModelInferRequest& request : {raw, typed}) {
    const InferAnswer answer = live_->Infer(request);
    ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
    EXPECT_THAT(answer.floats(), ElementsAre(11, 22));
  }
  // In the other order of inputs as well.
  ModelInferRequest second = Sum();
  Place(*second.mutable_inputs(1), "in", 8);
  second.add_raw_input_contents(Raw({5, 6}));
  EXPECT_THAT(live_->Infer(second).floats(), ElementsAre(6, 8));
}

TEST_F(SharedMemory, WrongRequestsAreRefused) {
  ASSERT_TRUE(Register("r", 0, 64).ok());
  const auto refusal = [&](const auto& change) {
    ModelInferRequest request = Sum();
    for (int i : {0, 1}) Place(*request.mutable_inputs(i), "r", 8);
    change(request);
    const grpc::Status status = live_->Infer(request).status;
    return std::to_string(status.error_code()) + " " + status.error_message();
  };
  EXPECT_EQ(refusal([](auto& m) { Place(*m.mutable_inputs(1), "absent", 8); }),
            "5 input \"b\": there is no shared memory region \"absent\"");
  EXPECT_EQ(refusal([](auto& m) { Place(*m.mutable_inputs(1), "r", 12); }),
            "3 input \"b\": wants 8 bytes for FP32 [2], got 12");
  EXPECT_EQ(refusal([](auto& m) { Place(*m.mutable_inputs(1), "r", 8, 60); }),
            "3 input \"b\": shared memory region \"r\": wants 8 bytes from 60 on, has 64");
  EXPECT_EQ(refusal([](auto& m) { m.add_raw_input_contents("12345678"); }),
            "3 wants one raw_input_contents entry for each of the 0 inputs that are not in shared "
            "memory, got 1");
  EXPECT_EQ(refusal([](auto& m) { m.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1); }),
            "3 input \"a\": wants shared memory or contents, got both");
  EXPECT_EQ(refusal([](auto& m) { m.mutable_inputs(0)->clear_parameters(); }),
            "3 input \"a\": wants 2 elements for shape [2], got 0");
  EXPECT_EQ(refusal([](auto& m) { Place(*m.mutable_outputs(0), "r", 7); }),
            "3 output \"y\": wants 8 bytes of shared memory for FP32 [2], got 7");
  EXPECT_EQ(refusal([](auto& m) { Place(*m.mutable_outputs(0), "absent", 8); }),
            "5 output \"y\": there is no shared memory region \"absent\"");
  EXPECT_EQ(refusal([](auto& m) {
              Place(*m.mutable_outputs(0), "r", 8);
              (*m.mutable_outputs(0)->mutable_parameters())["classification"].set_int64_param(1);
            }),
            "3 output \"y\": wants classification or shared memory, got both");
  // A region that a client has shortened ends the request, not the server.
  object_.Resize(4);
  EXPECT_EQ(refusal([](auto&) {}),
            "9 input \"a\": shared memory region \"r\": the object has become shorter");
  EXPECT_TRUE(live_->server().repository().Find("sum", "").ok());
}

TEST_F(SharedMemory, BoolsAreChecked) {
  ASSERT_TRUE(Register("r", 0, 3).ok());
  ModelInferRequest request;
  request.set_model_name("mask");
  auto& input = *request.add_inputs();
  input.set_name("m");
  input.set_datatype("BOOL");
  input.add_shape(3);
  Place(input, "r", 3);
  *object_.at<uint8_t>(1) = 1;
  EXPECT_EQ(live_->Infer(request).response.raw_output_contents(0), std::string("\1\0\1", 3));
  *object_.at<uint8_t>(2) = 2;
  EXPECT_EQ(live_->Infer(request).status.error_message(),
            "input \"m\": wants BOOL bytes of 0 or 1, got 2");
}

TEST_F(SharedMemory, InputsAreLimitedAsMessagesAre) {
  Start(Served(true, 300));
  ASSERT_TRUE(Register("r", 0, 4096).ok());
  ModelInferRequest request = Sum();
  for (int i : {0, 1}) {
    request.mutable_inputs(i)->set_shape(0, 40);
    Place(*request.mutable_inputs(i), "r", 160);
  }
  const grpc::Status status = live_->Infer(request).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("at most 300 bytes in shared memory"));
}

TEST_F(SharedMemory, IsOffUnlessItIsAskedFor) {
  const auto extensions = [&] {
    inference::ServerMetadataResponse metadata;
    grpc::ClientContext context;
    EXPECT_TRUE(live_->inference().ServerMetadata(&context, {}, &metadata).ok());
    return std::vector<std::string>(metadata.extensions().begin(), metadata.extensions().end());
  };
  EXPECT_THAT(extensions(), Contains("system_shared_memory"));
  Start(Served(false));
  EXPECT_THAT(extensions(), Not(Contains("system_shared_memory")));
  ModelInferRequest request = Sum();
  Place(*request.mutable_inputs(0), "r", 8);
  inference::SystemSharedMemoryStatusResponse response;
  grpc::ClientContext context;
  for (const grpc::Status& status :
       {Register("r", 0, 1), Unregister(""), live_->Infer(request).status,
        live_->inference().SystemSharedMemoryStatus(&context, {}, &response)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), HasSubstr("--shared-memory"));
  }
}

TEST_F(SharedMemory, OfCudaThereIsNone) {
  using Stub = inference::GRPCInferenceService::Stub;
  Stub& stub = live_->inference();
  inference::CudaSharedMemoryStatusRequest named;
  named.set_name("r");
  inference::CudaSharedMemoryStatusResponse described;
  {
    grpc::ClientContext context;
    EXPECT_TRUE(stub.CudaSharedMemoryStatus(&context, {}, &described).ok());
    EXPECT_EQ(described.regions_size(), 0);
  }
  {
    grpc::ClientContext context;
    EXPECT_EQ(stub.CudaSharedMemoryStatus(&context, named, &described).error_code(),
              grpc::StatusCode::NOT_FOUND);
  }
  {
    grpc::ClientContext context;
    inference::CudaSharedMemoryUnregisterResponse response;
    EXPECT_TRUE(stub.CudaSharedMemoryUnregister(&context, {}, &response).ok());
  }
  grpc::ClientContext context;
  inference::CudaSharedMemoryRegisterResponse response;
  const grpc::Status status = stub.CudaSharedMemoryRegister(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(status.error_message(), HasSubstr("computes on CPUs"));
}

TEST_F(SharedMemory, IsOfTheServerAndNotOfAnAddress) {
  ASSERT_TRUE(Register("r", 0, 64).ok());
  const auto admin = inference::GRPCInferenceService::NewStub(live_->AdminChannel());
  inference::SystemSharedMemoryStatusResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(admin->SystemSharedMemoryStatus(&context, {}, &response).ok());
  EXPECT_TRUE(response.regions().contains("r"));
}

}  // namespace
}  // namespace lazynet
