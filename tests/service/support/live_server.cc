#include "tests/service/support/live_server.h"

#include <cstring>
#include <sstream>
#include <utility>

namespace lazynet::testing {
namespace {

namespace fs = std::filesystem;

config::ServerConfig OnFreePorts(config::ServerConfig config, const fs::path& repository) {
  config.model_repository = repository.string();
  config.grpc_address = config.metrics_address = config.admin_address = "127.0.0.1:0";
  if (config.lanes == 0) config.lanes = 2;
  return config;
}

}  // namespace

void TemporaryRepository::AddEmbeddedModels() const {
  fs::copy(fs::path(LAZYNET_SOURCE_DIR) / "deploy/models", path(), fs::copy_options::recursive);
}

std::vector<float> InferAnswer::floats(int i) const {
  const std::string& raw = response.raw_output_contents(i);
  std::vector<float> values(raw.size() / sizeof(float));
  if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

std::vector<int64_t> InferAnswer::shape(int i) const {
  const auto& dims = response.outputs(i).shape();
  return {dims.begin(), dims.end()};
}

LiveServer::LiveServer(const fs::path& repository, config::ServerConfig config) {
  auto started = server::Server::Start(OnFreePorts(std::move(config), repository));
  LAZYNET_CHECK(started.ok());
  server_ = *std::move(started);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->grpc_port()),
                                       grpc::InsecureChannelCredentials(), arguments);
  inference_ = inference::GRPCInferenceService::NewStub(channel_);
  lazy_networks_ = v1::LazyNetworkService::NewStub(channel_);
  health_ = grpc::health::v1::Health::NewStub(channel_);
}

std::shared_ptr<grpc::Channel> LiveServer::AdminChannel() const {
  return grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->admin_port()),
                             grpc::InsecureChannelCredentials());
}

inference::ModelInferRequest RequestOf(const std::string& model, const std::vector<int64_t>& shape,
                                       const std::vector<float>& values) {
  inference::ModelInferRequest request;
  request.set_model_name(model);
  auto& input = *request.add_inputs();
  input.set_name("input");
  input.set_datatype("FP32");
  for (const int64_t dim : shape) input.add_shape(dim);
  request.add_raw_input_contents(
      std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  return request;
}

InferAnswer LiveServer::Infer(const inference::ModelInferRequest& request) {
  InferAnswer answer;
  grpc::ClientContext context;
  answer.status = inference_->ModelInfer(&context, request, &answer.response);
  return answer;
}

InferAnswer LiveServer::Infer(const std::string& model, const std::vector<int64_t>& shape,
                              const std::vector<float>& values) {
  return Infer(RequestOf(model, shape, values));
}

v1::DescribeNetworkResponse LiveServer::Describe(const std::string& model) {
  v1::DescribeNetworkRequest request;
  request.set_name(model);
  v1::DescribeNetworkResponse response;
  grpc::ClientContext context;
  const grpc::Status status = lazy_networks_->DescribeNetwork(&context, request, &response);
  LAZYNET_CHECK(status.ok());
  return response;
}

double LiveServer::Metric(const std::string& series) {
  std::istringstream text(server_->MetricsText());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  }
  return -1;
}

}  // namespace lazynet::testing
