// Times the engine's parts by themselves: ops, networks, plan building, materialization.

#include <benchmark/benchmark.h>

#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/threads.h"
#include "engine/plan/program_builder.h"
#include "service/hosting/definition.h"
#include "tests/bench/model.h"

namespace lazynet::bench {
namespace {

using backend::Graph;
using backend::kNoValue;
using backend::ValueId;

// Values of about -1 to 1, always the same.
Tensor Noise(const Shape& shape) {
  absl::StatusOr<Tensor> tensor = Tensor::Allocate(DType::kFp32, shape);
  LAZYNET_CHECK(tensor.ok());
  uint32_t state = 1;
  for (float& value : tensor->mutable_view().values<float>()) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
  }
  return *std::move(tensor);
}

ValueId AddWeights(Graph& graph, const Shape& shape) {
  const std::string key = "weights" + std::to_string(graph.constants.size());
  return graph.AddConstant(DType::kFp32, shape, {key, [shape] { return Noise(shape); }});
}

// Runs the one op of a graph; what lies around it, reorders to dense inputs and outputs, is a part.
void RunGraph(benchmark::State& state, const Graph& graph) {
  backend::PackedWeights packed;
  backend::SetKernelThreads(1);
  plan::ProgramBuilder builder(graph, Backend(), packed);
  plan::PlanDescription description;
  builder.SetDescription(&description);
  const auto program = builder.Build(size_t{1} << 30);
  LAZYNET_CHECK(program.ok());
  std::vector<Tensor> tensors;
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
  for (const ValueId id : graph.inputs) {
    inputs.push_back(tensors.emplace_back(Noise(graph.value(id).shape)).data());
  }
  for (const ValueId id : graph.outputs) {
    outputs.push_back(tensors.emplace_back(Noise(graph.value(id).shape)).mutable_view().data);
  }
  plan::Workspace workspace;
  LAZYNET_CHECK(workspace.Reserve((*program)->arena_bytes(), (*program)->scratch_bytes()).ok());
  for (auto _ : state) {
    LAZYNET_CHECK((*program)
                      ->Run({.inputs = inputs,
                             .outputs = outputs,
                             .arena = workspace.arena(),
                             .scratch = workspace.scratch()})
                      .ok());
  }
  std::string kernels;
  for (const plan::StepInfo& step : description.steps) {
    kernels += (kernels.empty() ? "" : " ") + step.implementation;
  }
  state.SetLabel(kernels);
}

// A graph with one op.
using MakeGraph = std::function<void(Graph&)>;

void AddOpBenchmark(const std::string& name, const MakeGraph& make) {
  benchmark::RegisterBenchmark(("op/" + name).c_str(), [make](benchmark::State& state) {
    Graph graph;
    make(graph);
    graph.outputs = {graph.ops.back().output};
    RunGraph(state, graph);
  })->Unit(benchmark::kMicrosecond);
}

void AddLinear(int64_t rows, int64_t in, int64_t out) {
  AddOpBenchmark(fmt::format("inner_product/{}x{}x{}", rows, in, out), [=](Graph& graph) {
    const ValueId src = graph.AddInput(DType::kFp32, {rows, in});
    const ValueId weights = AddWeights(graph, {out, in});
    graph.AddOp(backend::InnerProduct{}, {src, weights, AddWeights(graph, {out})}, {rows, out},
                "op");
  });
}

void AddConvolution(int64_t in, int64_t out, int64_t size, int64_t kernel, int64_t groups = 1) {
  AddOpBenchmark(fmt::format("convolution/{}x{}x{} k{} g{}", in, out, size, kernel, groups),
                 [=](Graph& graph) {
                   const ValueId src = graph.AddInput(DType::kFp32, {1, in, size, size});
                   const ValueId weights = AddWeights(graph, {out, in / groups, kernel, kernel});
                   const int64_t padding = kernel / 2;
                   graph.AddOp(backend::Convolution{.strides = {1, 1},
                                                    .dilations = {1, 1},
                                                    .padding_l = {padding, padding},
                                                    .padding_r = {padding, padding},
                                                    .groups = groups},
                               {src, weights, AddWeights(graph, {out})}, {1, out, size, size},
                               "op");
                 });
}

void AddEltwise(const std::string& name, backend::Eltwise op) {
  AddOpBenchmark("eltwise/" + name, [op](Graph& graph) {
    const Shape shape{200704};
    graph.AddOp(op, {graph.AddInput(DType::kFp32, shape)}, shape, "op");
  });
}

void AddOps() {
  // What the MLP below consists of, and larger ones.
  for (const int64_t rows : {1, 8}) {
    AddLinear(rows, 784, 512);
    AddLinear(rows, 512, 512);
    AddLinear(rows, 512, 10);
  }
  AddLinear(128, 768, 3072);
  AddConvolution(64, 64, 56, 3);
  AddConvolution(64, 256, 56, 1);
  AddConvolution(144, 144, 56, 3, 144);
  AddConvolution(1, 6, 28, 5);
  using Algorithm = backend::Eltwise::Algorithm;
  AddEltwise("relu", {.algorithm = Algorithm::kRelu});
  AddEltwise("silu", {.algorithm = Algorithm::kSilu});
  AddEltwise("gelu_erf", {.algorithm = Algorithm::kGeluErf});
  AddEltwise("tanh", {.algorithm = Algorithm::kTanh});
  AddEltwise("sigmoid", {.algorithm = Algorithm::kSigmoid});
  AddOpBenchmark("softmax/1536x128", [](Graph& graph) {
    const Shape shape{1536, 128};
    graph.AddOp(backend::Softmax{.axis = 1}, {graph.AddInput(DType::kFp32, shape)}, shape, "op");
  });
  AddOpBenchmark("layer_normalization/128x768", [](Graph& graph) {
    const Shape shape{128, 768};
    const ValueId src = graph.AddInput(DType::kFp32, shape);
    const ValueId scale = AddWeights(graph, {768});
    graph.AddOp(backend::LayerNormalization{}, {src, scale, AddWeights(graph, {768})}, shape, "op");
  });
  AddOpBenchmark("pooling/max 64x112 k3", [](Graph& graph) {
    const ValueId src = graph.AddInput(DType::kFp32, {1, 64, 112, 112});
    graph.AddOp(
        backend::Pooling{
            .kernel = {3, 3}, .strides = {2, 2}, .dilations = {1, 1}, .padding = {1, 1}},
        {src}, {1, 64, 56, 56}, "op");
  });
}

struct Definition {
  const char* name;
  const char* text;
  Shape item;  // of an input, without its batch
};

const std::vector<Definition>& Definitions() {
  static const auto& definitions = *new std::vector<Definition>{
      {"mlp",
       R"(layers { name: "fc1" linear { out_features: 512 } }
          layers { name: "relu1" relu {} }
          layers { name: "fc2" linear { out_features: 512 } }
          layers { name: "relu2" relu {} }
          layers { name: "fc3" linear { out_features: 10 } })",
       {784}},
      {"lenet",
       R"(layers { name: "conv1" conv2d { out_channels: 6 kernel_size: 5 padding: 2 } }
          layers { name: "relu1" relu {} }
          layers { name: "pool1" max_pool2d { kernel_size: 2 } }
          layers { name: "conv2" conv2d { out_channels: 16 kernel_size: 5 } }
          layers { name: "relu2" relu {} }
          layers { name: "pool2" max_pool2d { kernel_size: 2 } }
          layers { name: "flat" flatten {} }
          layers { name: "fc1" linear { out_features: 120 } }
          layers { name: "relu3" relu {} }
          layers { name: "fc2" linear { out_features: 84 } }
          layers { name: "relu4" relu {} }
          layers { name: "fc3" linear { out_features: 10 } })",
       {1, 28, 28}},
      {"wide",
       R"(layers { name: "fc1" linear { out_features: 4096 } }
          layers { name: "relu1" relu {} }
          layers { name: "fc2" linear { out_features: 4096 } })",
       {4096}},
  };
  return definitions;
}

Shape Batched(const Shape& item, int64_t items) {
  Shape::Dims dims = {items};
  dims.insert(dims.end(), item.dims().begin(), item.dims().end());
  return Shape(std::move(dims));
}

// The network, lazy.
Model Declared(const Definition& definition) {
  auto parsed = hosting::ParseDefinitionText(definition.text, definition.name);
  LAZYNET_CHECK(parsed.ok());
  auto network = nn::Network::Create(*std::move(parsed));
  LAZYNET_CHECK(network.ok());
  const nn::ParameterSet declared = nn::ParameterSet::Declared(**network);
  return Model{*std::move(network), declared};
}

Model Materialized(const Definition& definition, const Shape& shape) {
  Model model = Declared(definition);
  LAZYNET_CHECK(Materialize(model, {&shape, 1}).ok());
  return model;
}

void AddNetworks(const Definition& definition) {
  const std::string name = definition.name;
  for (const int64_t items : {1, 8}) {
    const Shape shape = Batched(definition.item, items);
    benchmark::RegisterBenchmark(fmt::format("network/{}/{}", name, items).c_str(),
                                 [definition, shape](benchmark::State& state) {
                                   Model model = Materialized(definition, shape);
                                   auto plan = BuildPlan(model, {&shape, 1}, 1);
                                   LAZYNET_CHECK(plan.ok());
                                   const auto runner =
                                       Runner::Create(*std::move(plan), {Noise(shape)});
                                   LAZYNET_CHECK(runner.ok());
                                   for (auto _ : state) LAZYNET_CHECK((*runner)->Run().ok());
                                 })
        ->Unit(benchmark::kMicrosecond);
  }
  const Shape shape = Batched(definition.item, 1);
  benchmark::RegisterBenchmark(("materialize/" + name).c_str(), [definition,
                                                                 shape](benchmark::State& state) {
    const Model model = Declared(definition);
    for (auto _ : state) {
      LAZYNET_CHECK(nn::Materialize(*model.network, model.parameters, {&shape, 1}, {}).ok());
    }
  })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark(("plan/" + name).c_str(), [definition,
                                                          shape](benchmark::State& state) {
    Model model = Materialized(definition, shape);
    for (auto _ : state) {
      model.shared = std::make_unique<plan::SharedParts>();
      LAZYNET_CHECK(BuildPlan(model, {&shape, 1}, 1).ok());
    }
  })->Unit(benchmark::kMillisecond);
  // The same for another batch size: the weights are packed already.
  const Shape other = Batched(definition.item, 3);
  benchmark::RegisterBenchmark(("plan_again/" + name).c_str(), [definition, shape,
                                                                other](benchmark::State& state) {
    Model model = Materialized(definition, shape);
    const auto first = BuildPlan(model, {&shape, 1}, 1);
    for (auto _ : state) LAZYNET_CHECK(BuildPlan(model, {&other, 1}, 1).ok());
  })->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace lazynet::bench

int main(int argc, char** argv) {
  lazynet::backend::RestartWithBriefWaits(argv);
  lazynet::bench::AddOps();
  for (const auto& definition : lazynet::bench::Definitions()) {
    lazynet::bench::AddNetworks(definition);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
