// The status table of the Open Inference Protocol, row by row: what a client sees of each mistake.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "proto/google/rpc/status.pb.h"
#include "tests/service/support/live_server.h"
#include "tests/service/support/raw_call.h"

namespace lazynet {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using ::testing::HasSubstr;
using testing::LiveServer;
using testing::TemporaryRepository;
using Stub = inference::GRPCInferenceService::Stub;

constexpr const char* kRelu = R"(layers { name: "y" relu {} })";

// Serves models in every state there is.
class Host {
 public:
  Host() {
    repository_.Write("sum/network.textproto", R"(
        inputs { name: "a" } inputs { name: "b" }
        layers { name: "y" inputs: "a" inputs: "b" add {} } outputs { name: "y" layer: "y" })");
    repository_.Write("fixed/network.textproto",
                      std::string(R"(inputs { name: "input" shape: [-1, 3] })") + kRelu);
    repository_.Write("fixed/serving.textproto",
                      R"(input_limits { name: "input" dims { max: 4 } dims {} })");
    repository_.Write("pairs/network.textproto",
                      R"(layers { name: "y" reshape { shape: "-1, 2" } })");
    repository_.Write("large/network.textproto",
                      R"(layers { name: "y" linear { out_features: 1000 } })");
    repository_.Write("broken/network.textproto", "layers { name: \"y\" linear {} }");
    repository_.Write("retired/network.textproto", kRelu);
    repository_.Write("ready/network.textproto", kRelu);
    config::ServerConfig config;
    config.max_message_bytes = 100000;
    config.max_parameter_bytes = 100000;
    live_ = std::make_unique<LiveServer>(repository_.path(), config);
    admin_ = inference::GRPCInferenceService::NewStub(live_->AdminChannel());
    repository_.Write("spoilt/network.textproto", "no definition");
    LAZYNET_CHECK(Unload("retired").ok());
  }

  Stub& stub() { return live_->inference(); }
  Stub& admin() { return *admin_; }
  LiveServer& live() { return *live_; }

  // A call by its stub's method, of a request whose fields are set by `fill`.
  template <typename Request, typename Response>
  static grpc::Status Call(
      Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
      const std::function<void(Request&)>& fill, Response* response = nullptr) {
    Request request;
    fill(request);
    Response own;
    grpc::ClientContext context;
    return (stub.*method)(&context, request, response == nullptr ? &own : response);
  }

  grpc::Status Infer(const ModelInferRequest& request) { return live_->Infer(request).status; }

  grpc::Status Load(const std::string& name, const std::string& repository = "") {
    return Call<inference::RepositoryModelLoadRequest>(*admin_, &Stub::RepositoryModelLoad,
                                                       [&](auto& request) {
                                                         request.set_model_name(name);
                                                         request.set_repository_name(repository);
                                                       });
  }
  grpc::Status Unload(const std::string& name) {
    return Call<inference::RepositoryModelUnloadRequest>(
        *admin_, &Stub::RepositoryModelUnload,
        [&](auto& request) { request.set_model_name(name); });
  }

 private:
  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
  std::unique_ptr<Stub> admin_;
};

// A right request for "sum"; its inputs are of two numbers.
ModelInferRequest Sum() {
  ModelInferRequest request;
  request.set_model_name("sum");
  for (const char* name : {"a", "b"}) {
    auto& input = *request.add_inputs();
    input.set_name(name);
    input.set_datatype("FP32");
    input.add_shape(2);
    request.add_raw_input_contents(std::string(8, '\0'));
  }
  return request;
}

// Zeros for a model with the one input "input".
ModelInferRequest Zeros(const std::string& model, const std::vector<int64_t>& shape,
                        const std::string& version = "") {
  size_t elements = 1;
  for (const int64_t dim : shape) elements *= static_cast<size_t>(dim);
  ModelInferRequest request = testing::RequestOf(model, shape, std::vector<float>(elements));
  request.set_model_version(version);
  return request;
}

using Change = std::function<void(ModelInferRequest&)>;

struct Row {
  const char* name;
  StatusCode code;
  const char* text;  // in the message
  std::function<grpc::Status(Host&)> call;
};

Row Wrong(const char* name, const char* text, const Change& change) {
  return {name, StatusCode::INVALID_ARGUMENT, text, [change](Host& host) {
            ModelInferRequest request = Sum();
            change(request);
            return host.Infer(request);
          }};
}

template <typename Request, typename Response>
Row Asked(const char* name, StatusCode code, const char* text,
          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
          const std::string& model, const std::string& version = "") {
  return {name, code, text, [method, model, version](Host& host) {
            return Host::Call<Request, Response>(host.stub(), method, [&](Request& request) {
              request.set_name(model);
              request.set_version(version);
            });
          }};
}

Row Inferred(const char* name, StatusCode code, const char* text,
             const ModelInferRequest& request) {
  return {name, code, text, [request](Host& host) { return host.Infer(request); }};
}

Row Loaded(const char* name, StatusCode code, const char* text, const std::string& model,
           const std::string& repository = "") {
  return {name, code, text, [=](Host& host) { return host.Load(model, repository); }};
}

// A method by its name, with an empty request.
grpc::Status CallUnknown(Host& host, const std::string& method) {
  grpc::ByteBuffer response;
  return testing::CallRaw(host.live().channel(), method, grpc::ByteBuffer(nullptr, 0), response);
}

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      Inferred("UnknownModelInfer", StatusCode::NOT_FOUND, "model \"nobody\" is not hosted",
               Zeros("nobody", {1})),
      Asked("UnknownModelMetadata", StatusCode::NOT_FOUND, "nobody", &Stub::ModelMetadata,
            "nobody"),
      Asked("UnknownModelConfig", StatusCode::NOT_FOUND, "nobody", &Stub::ModelConfig, "nobody"),
      Asked("UnknownModelStatistics", StatusCode::NOT_FOUND, "nobody", &Stub::ModelStatistics,
            "nobody"),
      {"UnknownModelReady", StatusCode::OK, "",
       [](Host& host) {
         inference::ModelReadyResponse response;
         response.set_ready(true);
         const grpc::Status status = Host::Call<inference::ModelReadyRequest>(
             host.stub(), &Stub::ModelReady, [](auto& request) { request.set_name("nobody"); },
             &response);
         EXPECT_FALSE(response.ready());
         return status;
       }},
      Inferred("VersionIsNoNumberInfer", StatusCode::INVALID_ARGUMENT,
               "wants a version number, got \"one\"", Zeros("ready", {1}, "one")),
      Asked("VersionIsNoNumberReady", StatusCode::INVALID_ARGUMENT, "version number",
            &Stub::ModelReady, "ready", "1x"),
      Asked("VersionIsNoNumberMetadata", StatusCode::INVALID_ARGUMENT, "version number",
            &Stub::ModelMetadata, "ready", "-1"),
      Asked("VersionIsNoNumberConfig", StatusCode::INVALID_ARGUMENT, "version number",
            &Stub::ModelConfig, "ready", "1.0"),
      Asked("VersionIsNoNumberStatistics", StatusCode::INVALID_ARGUMENT, "version number",
            &Stub::ModelStatistics, "ready", " "),
      Inferred("VersionThatIsNotThere", StatusCode::NOT_FOUND, "has no version 2",
               Zeros("ready", {1}, "2")),
      Inferred("VersionNotReady", StatusCode::UNAVAILABLE, "out_features", Zeros("broken", {1})),
      Inferred("NoVersionReadyOrRetired", StatusCode::NOT_FOUND, "unloaded", Zeros("retired", {1})),
      Inferred("VersionRetired", StatusCode::NOT_FOUND, "unloaded", Zeros("retired", {1}, "1")),

      Wrong("InputMissing", "input \"b\" is missing: wants 2 inputs, got 1",
            [](auto& m) {
              m.mutable_inputs()->RemoveLast();
              m.mutable_raw_input_contents()->RemoveLast();
            }),
      Wrong("InputUnknown", "unknown input \"c\"",
            [](auto& m) { m.mutable_inputs(1)->set_name("c"); }),
      Wrong("InputDuplicate", "input \"a\" is there twice",
            [](auto& m) { m.mutable_inputs(1)->set_name("a"); }),
      Wrong("InputWrongCount", "unknown input",
            [](auto& m) {
              *m.add_inputs() = m.inputs(0);
              m.mutable_inputs(2)->set_name("c");
              m.add_raw_input_contents(std::string(8, '\0'));
            }),
      Wrong("RequestedOutputUnknown", "unknown output \"x\"",
            [](auto& m) { m.add_outputs()->set_name("x"); }),
      Wrong("DatatypeDiffersFromTheModel", "wants datatype FP32, got \"INT32\"",
            [](auto& m) { m.mutable_inputs(1)->set_datatype("INT32"); }),
      Wrong("DatatypeUnknown", "wants datatype FP32, got \"fp32\"",
            [](auto& m) { m.mutable_inputs(1)->set_datatype("fp32"); }),
      Wrong("NegativeDim", "got -1", [](auto& m) { m.mutable_inputs(1)->set_shape(0, -1); }),
      Wrong("BatchDiffersBetweenInputs", "layer \"y\"",
            [](auto& m) {
              m.mutable_inputs(0)->set_shape(0, 3);
              m.set_raw_input_contents(0, std::string(12, '\0'));
            }),
      Inferred("RankWrong", StatusCode::INVALID_ARGUMENT, "rank", Zeros("fixed", {3})),
      Inferred("DimsWrong", StatusCode::INVALID_ARGUMENT, "got", Zeros("fixed", {1, 4})),
      Inferred("BatchOverTheMaximum", StatusCode::INVALID_ARGUMENT,
               "wants dim 0 from 0 to 4 (input_limits), got 5", Zeros("fixed", {5, 3})),
      Wrong("BytesDifferFromShapeAndDatatype", "wants 8 bytes for FP32 [2], got 7",
            [](auto& m) { m.set_raw_input_contents(1, std::string(7, '\0')); }),
      Wrong("RawAndTypedContentsMixed", "wants raw or typed contents, got both",
            [](auto& m) { m.mutable_inputs(1)->mutable_contents()->add_fp32_contents(1); }),
      Wrong("NoDataForAnInput", "wants 2 elements for shape [2], got 0",
            [](auto& m) {
              m.clear_raw_input_contents();
              for (const float value : {1.0f, 2.0f}) {
                m.mutable_inputs(0)->mutable_contents()->add_fp32_contents(value);
              }
            }),
      Wrong("RawEntriesSurplus", "for each of the 2 inputs, got 3",
            [](auto& m) { m.add_raw_input_contents(""); }),
      Inferred("ShapeValidButReshapeFailed", StatusCode::INVALID_ARGUMENT, "layer \"y\"",
               Zeros("pairs", {3})),
      Wrong("ParameterHeaders", "parameter \"headers\" is reserved",
            [](auto& m) { (*m.mutable_parameters())["headers"].set_string_param("x"); }),
      Wrong("ParameterBinaryDataOutput", "parameter \"binary_data_output\" is reserved",
            [](auto& m) { (*m.mutable_parameters())["binary_data_output"].set_bool_param(true); }),
      Wrong(
          "ParameterOfTriton", "parameter \"triton_final_response\" is reserved",
          [](auto& m) { (*m.mutable_parameters())["triton_final_response"].set_bool_param(true); }),
      Wrong("ParameterOfAnotherType", "wants bool_param",
            [](auto& m) {
              (*m.mutable_parameters())["triton_enable_empty_final_response"].set_int64_param(1);
            }),
      {"ParametersOfTheUser", StatusCode::OK, "",
       [](Host& host) {
         ModelInferRequest request = Sum();
         (*request.mutable_parameters())["tritonesque"].set_string_param("x");
         (*request.mutable_parameters())["Headers"].set_double_param(0.5);
         (*request.mutable_parameters())["sequence_id"].set_int64_param(0);
         (*request.mutable_parameters())["triton_enable_empty_final_response"].set_bool_param(true);
         return host.Infer(request);
       }},
      {"DeadlinePassed", StatusCode::DEADLINE_EXCEEDED, "",
       [](Host& host) {
         grpc::ClientContext context;
         context.set_deadline(std::chrono::system_clock::now() - std::chrono::seconds(1));
         inference::ModelInferResponse response;
         return host.stub().ModelInfer(&context, Sum(), &response);
       }},
      {"ClientCancelled", StatusCode::CANCELLED, "",
       [](Host& host) {
         grpc::ClientContext context;
         context.TryCancel();
         inference::ModelInferResponse response;
         return host.stub().ModelInfer(&context, Sum(), &response);
       }},
      Inferred("MemoryBudgetCannotBeMet", StatusCode::RESOURCE_EXHAUSTED, "bytes",
               Zeros("large", {1, 1000})),
      Inferred("MessageOverTheReceiveLimit", StatusCode::RESOURCE_EXHAUSTED, "",
               Zeros("ready", {25001})),
      {"RpcNotOffered", StatusCode::UNIMPLEMENTED, "",
       [](Host& host) { return CallUnknown(host, "/inference.GRPCInferenceService/ModelForget"); }},
      {"CudaSharedMemory", StatusCode::UNIMPLEMENTED, "CUDA",
       [](Host& host) {
         return Host::Call<inference::CudaSharedMemoryRegisterRequest>(
             host.stub(), &Stub::CudaSharedMemoryRegister, [](auto& /*request*/) {});
       }},
      Loaded("LoadWithARepositoryName", StatusCode::UNIMPLEMENTED, "repository_name", "ready",
             "elsewhere"),
      {"LoadWithoutControl", StatusCode::PERMISSION_DENIED, "--admin-address",
       [](Host& host) {
         return Host::Call<inference::RepositoryModelLoadRequest>(
             host.stub(), &Stub::RepositoryModelLoad,
             [](auto& request) { request.set_model_name("ready"); });
       }},
      Loaded("LoadWithoutAName", StatusCode::INVALID_ARGUMENT, "name", ""),
      Loaded("LoadOfTheParent", StatusCode::INVALID_ARGUMENT, "name", ".."),
      Loaded("LoadOfAPath", StatusCode::INVALID_ARGUMENT, "name", "a/b"),
      Loaded("LoadOfWhatIsNotInTheRepository", StatusCode::NOT_FOUND, "no model \"absent\"",
             "absent"),
      Loaded("LoadFails", StatusCode::FAILED_PRECONDITION, "network.textproto:1", "spoilt"),
      {"UnloadOfAModelThatIsNotLoaded", StatusCode::OK, "",
       [](Host& host) { return host.Unload("absent"); }},
  };
  return rows;
}

class ProtocolStatus : public ::testing::TestWithParam<Row> {
 protected:
  static void SetUpTestSuite() { host_ = new Host; }
  static void TearDownTestSuite() {
    delete host_;
    host_ = nullptr;
  }
  static Host* host_;
};

Host* ProtocolStatus::host_ = nullptr;

TEST_P(ProtocolStatus, IsTheTables) {
  const grpc::Status status = GetParam().call(*host_);
  EXPECT_EQ(status.error_code(), GetParam().code) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr(GetParam().text));
  // Clients learn no paths.
  EXPECT_EQ(status.error_message().find("/tmp"), std::string::npos) << status.error_message();
}

INSTANTIATE_TEST_SUITE_P(Rows, ProtocolStatus, ::testing::ValuesIn(Rows()),
                         [](const auto& row) { return std::string(row.param.name); });

// A server with one request waiting, for others to be run with that never come.
class ProtocolStatusUnderLoad : public ::testing::Test {
 protected:
  ProtocolStatusUnderLoad() {
    repository_.Write("fours/network.textproto", kRelu);
    repository_.Write("fours/serving.textproto", R"(
        batching { max_batch_size: 4 max_delay_microseconds: 60000000 }
        queue { max_requests: 1 })");
    live_ = std::make_unique<LiveServer>(repository_.path(), config::ServerConfig{.lanes = 1});
    // There is a plan, so that requests go to the queue at once.
    const grpc::Status first = live_->Infer(Zeros("fours", {4, 1})).status;
    EXPECT_TRUE(first.ok()) << first.error_message();
    waiting_ = std::async(std::launch::async, [this] {
      inference::ModelInferResponse response;
      return live_->inference().ModelInfer(&context_, Zeros("fours", {1, 1}), &response);
    });
    while (live_->Metric("lazynet_queue_depth") != 1) std::this_thread::yield();
  }
  ~ProtocolStatusUnderLoad() override { context_.TryCancel(); }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
  grpc::ClientContext context_;
  std::future<grpc::Status> waiting_;
};

TEST_F(ProtocolStatusUnderLoad, AFullQueueIsExhaustedAndSaysWhenToTryAgain) {
  const grpc::Status status = live_->Infer(Zeros("fours", {1, 1})).status;
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "the queue is full: 1 requests wait");
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  google::rpc::RetryInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_GT(info.retry_delay().nanos(), 0);
}

TEST_F(ProtocolStatusUnderLoad, ACallThatIsCancelledWhileItWaitsIsCancelled) {
  context_.TryCancel();
  EXPECT_EQ(waiting_.get().error_code(), StatusCode::CANCELLED);
  live_->server().Shutdown(std::chrono::seconds(0));
  EXPECT_EQ(live_->Metric(R"(lazynet_requests_total{model="fours",version="1",code="OK"})"), 1);
}

TEST_F(ProtocolStatusUnderLoad, ACallThatWaitsWhenTheServerStopsIsUnavailable) {
  live_->server().Shutdown(std::chrono::seconds(0));
  EXPECT_EQ(waiting_.get().error_code(), StatusCode::UNAVAILABLE);
}

TEST(ProtocolStatusAtTheEnd, AServerThatShutsDownIsUnavailable) {
  Host host;
  host.live().server().Shutdown(std::chrono::seconds(0));
  EXPECT_EQ(host.Infer(Sum()).error_code(), StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace lazynet
