// `lazynet describe`.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/service/cli/client_test.h"

namespace lazynet::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using DescribeTest = ClientTest;

void SetTensor(v1::BoundInput& tensor, const std::string& name, const std::vector<int64_t>& shape) {
  tensor.set_name(name);
  tensor.set_datatype("FP32");
  for (const int64_t dim : shape) tensor.add_shape(dim);
}

v1::ParameterDescription MakeParameter(const std::string& name, const std::vector<int64_t>& shape,
                                       v1::ParameterOrigin origin) {
  v1::ParameterDescription parameter;
  parameter.set_name(name);
  parameter.set_datatype("FP32");
  for (const int64_t dim : shape) parameter.add_shape(dim);
  parameter.set_origin(origin);
  parameter.set_state(origin == v1::ORIGIN_UNSPECIFIED ? v1::PARAMETER_STATE_UNINITIALIZED
                                                       : v1::PARAMETER_STATE_INITIALIZED);
  return parameter;
}

v1::DescribeNetworkResponse LazyNetwork() {
  v1::DescribeNetworkResponse response;
  response.set_name("lazy_mlp");
  response.set_version("1");
  response.set_state(v1::NETWORK_STATE_LAZY);
  response.set_repr_before("Net(\n  (fc1): LazyLinear(in_features=0, out_features=10)\n)");
  response.set_repr(response.repr_before());
  auto& layer = *response.add_layers();
  layer.set_name("fc1");
  layer.set_type("LazyLinear");
  layer.add_inputs("input");
  layer.set_has_uninitialized_params(true);
  *layer.add_parameters() = MakeParameter("fc1.weight", {10, -1}, v1::ORIGIN_UNSPECIFIED);
  *layer.add_parameters() = MakeParameter("fc1.bias", {10}, v1::ORIGIN_CHECKPOINT);
  layer.mutable_parameters(1)->set_bytes(40);
  *layer.add_parameters() = MakeParameter("fc1.mean", {10}, v1::ORIGIN_INITIALIZER);
  layer.mutable_parameters(2)->set_bytes(4096);
  layer.mutable_parameters(2)->set_buffer(true);
  v1::LayerDescription& relu = *response.add_layers();
  relu.set_name("relu");
  relu.set_type("ReLU");
  relu.add_inputs("fc1");
  response.set_has_uninitialized_params(true);
  response.set_known_parameter_count(10);
  response.add_unknown_parameters("fc1.weight");
  response.set_parameter_bytes(4136);
  response.set_binding_policy(v1::BY_ADMIN);
  response.set_state_set_aside("the definition changed");
  SetTensor(*response.add_inputs(), "input", {-1, -1});
  SetTensor(*response.add_outputs(), "output", {-1, 10});
  response.set_compute("BF16");
  return response;
}

v1::DescribeNetworkResponse BoundNetwork() {
  v1::DescribeNetworkResponse response = LazyNetwork();
  response.set_state(v1::NETWORK_STATE_READY);
  response.set_repr("Net(\n  (fc1): Linear(in_features=4, out_features=10)\n)");
  response.clear_unknown_parameters();
  response.set_has_uninitialized_params(false);
  response.clear_state_set_aside();
  response.set_parameter_hash("0123abcd");
  v1::Binding& binding = *response.mutable_binding();
  binding.set_source("first_request");
  v1::BoundInput& input = *binding.add_inputs();
  SetTensor(input, "input", {2, 4});
  binding.set_seed(5);
  binding.set_draw_order("TORCH");
  binding.mutable_time()->set_seconds(1'700'000'000);
  binding.set_adopted(true);
  v1::Plan& plan = *response.add_plans();
  *plan.add_inputs() = input;
  plan.set_arena_bytes(2048);
  plan.set_op_count(3);
  plan.set_threads(2);
  plan.set_compute("BF16");
  return response;
}

TEST_F(DescribeTest, DescribesANetworkBeforeItsSizesAreFixed) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest& request) {
    EXPECT_EQ(request.name(), "lazy_mlp");
    EXPECT_EQ(request.version(), "");
    return LazyNetwork();
  };
  EXPECT_EQ(Ask({"describe", "lazy_mlp"}).out,
            "lazy_mlp version 1: lazy\n"
            "\n"
            "as defined, and now:\n"
            "Net(\n"
            "  (fc1): LazyLinear(in_features=0, out_features=10)\n"
            ")\n"
            "\n"
            "layer  type        parameter  datatype  shape    origin                  bytes\n"
            "fc1    LazyLinear  weight     FP32      [10, ?]  uninitialized               -\n"
            "                   bias       FP32      [10]     checkpoint               40 B\n"
            "                   mean       FP32      [10]     initializer (buffer)  4.0 KiB\n"
            "relu   ReLU\n"
            "\n"
            "parameters  10 elements known; 1 without a size: fc1.weight\n"
            "hash        none: some parameters have no values\n"
            "memory      4.0 KiB parameters, 0 B packed weights\n"
            "compute     BF16\n"
            "inputs      input FP32 [?, ?]\n"
            "outputs     output FP32 [?, 10]\n"
            "policy      by_admin\n"
            "binding     none: nothing has fixed the sizes yet\n"
            "state       set aside: the definition changed\n"
            "plans       none\n");
}

TEST_F(DescribeTest, DescribesANetworkAfterItsSizesAreFixed) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest&) { return BoundNetwork(); };
  EXPECT_THAT(
      Ask({"describe", "lazy_mlp"}).out,
      AllOf(HasSubstr("as defined:\nNet(\n  (fc1): LazyLinear("),
            HasSubstr("now:\nNet(\n  (fc1): Linear(in_features=4"),
            HasSubstr("binding     first_request of input FP32 [2, 4], seed 5, draw order TORCH, "
                      "2023-11-14T22:13:20Z, from the state directory\n"),
            HasSubstr("hash        0123abcd\n"), Not(HasSubstr("set aside")),
            HasSubstr("\nplan for           compute  threads    arena  scratch  ops\n"
                      "input FP32 [2, 4]  BF16           2  2.0 KiB      0 B    3\n")));
}

TEST_F(DescribeTest, DescribesInJson) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest& request) {
    return request.name() == "lazy_mlp" ? LazyNetwork() : BoundNetwork();
  };
  const json lazy = json::parse(Ask({"describe", "lazy_mlp", "--json"}).out);
  EXPECT_EQ(lazy["state"], "lazy");
  EXPECT_EQ(lazy["binding"], nullptr);
  EXPECT_EQ(lazy["binding_policy"], "by_admin");
  EXPECT_EQ(lazy["state_set_aside"], "the definition changed");
  EXPECT_EQ(lazy["parameter_hash"], "");
  EXPECT_EQ(lazy["outputs"],
            json::parse(R"([{"name": "output", "datatype": "FP32", "shape": [-1, 10]}])"));
  EXPECT_EQ(lazy["unknown_parameters"], json({"fc1.weight"}));
  EXPECT_EQ(lazy["layers"][0]["parameters"][0], json::parse(R"({
      "name": "fc1.weight", "datatype": "FP32", "shape": [10, -1], "state": "uninitialized",
      "origin": null, "buffer": false, "bytes": 0})"));
  EXPECT_EQ(lazy["layers"][0]["parameters"][1]["origin"], "checkpoint");
  const json bound = json::parse(Ask({"describe", "bound", "--json"}).out);
  EXPECT_EQ(bound["state"], "ready");
  EXPECT_EQ(bound["binding"], json::parse(R"({
      "source": "first_request", "seed": 5, "draw_order": "TORCH",
      "inputs": [{"name": "input", "datatype": "FP32", "shape": [2, 4]}],
      "time": "2023-11-14T22:13:20Z", "adopted": true})"));
  EXPECT_EQ(bound["parameter_hash"], "0123abcd");
  EXPECT_EQ(bound["plans"][0]["op_count"], 3);
  EXPECT_EQ(bound["plans"][0]["threads"], 2);
  EXPECT_EQ(bound["plans"][0]["compute"], "BF16");
  EXPECT_EQ(bound["compute"], "BF16");
}

TEST_F(DescribeTest, SaysWhyANetworkIsUnavailable) {
  server_.handlers.describe = [](const v1::DescribeNetworkRequest&) {
    v1::DescribeNetworkResponse response;
    response.set_name("broken");
    response.set_state(v1::NETWORK_STATE_UNAVAILABLE);
    response.set_reason("line 3: no such layer");
    return response;
  };
  EXPECT_EQ(Ask({"describe", "broken"}).out, "broken: unavailable, line 3: no such layer\n");
}

}  // namespace
}  // namespace lazynet::cli
