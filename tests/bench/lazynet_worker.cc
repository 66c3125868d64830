// lazynet's side of compare.sh: loads a model folder, then runs it as the lines of standard input
// say. README.md beside this file has the protocol, which the other engines' workers share.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend/threads.h"
#include "engine/core/status.h"
#include "engine/plan/profile.h"
#include "service/version.h"
#include "tests/bench/model.h"
#include "tests/bench/worker.h"

namespace lazynet::bench {
namespace {

struct Input {
  std::string name;
  Tensor tensor;
};

absl::StatusOr<Input> ReadInput(const std::string& text) {
  const auto input = ParseInputFile(text);
  if (!input) return InvalidArgument("--input wants NAME=DTYPE:DIMS:FILE, got \"{}\"", text);
  const auto dtype = ParseDType(input->dtype);
  if (!dtype) return InvalidArgument("--input: no dtype is called {}", input->dtype);
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(*dtype, Shape(input->dims)));
  std::ifstream file(input->path, std::ios::binary);
  file.read(reinterpret_cast<char*>(tensor.mutable_view().data),
            static_cast<std::streamsize>(tensor.bytes()));
  if (!file) return InvalidArgument("--input {}: no {} bytes there", text, tensor.bytes());
  return Input{input->name, std::move(tensor)};
}

absl::StatusOr<std::vector<Tensor>> InOrder(const nn::Network& network,
                                            const std::vector<Input>& inputs) {
  std::vector<Tensor> ordered;
  for (const nn::NetworkInput& wanted : network.inputs()) {
    const auto found = std::find_if(inputs.begin(), inputs.end(),
                                    [&](const Input& input) { return input.name == wanted.name; });
    if (found == inputs.end()) return InvalidArgument("input \"{}\" is missing", wanted.name);
    ordered.push_back(found->tensor);
  }
  return ordered;
}

std::vector<Shape> ShapesOf(std::span<const Tensor> tensors) {
  std::vector<Shape> shapes;
  for (const Tensor& tensor : tensors) shapes.push_back(tensor.shape());
  return shapes;
}

absl::StatusOr<Json> MeasureRuns(Runner& runner, int64_t milliseconds) {
  absl::Status status;
  Json report = Measure([&] { status.Update(runner.Run()); }, milliseconds);
  RETURN_IF_ERROR(status);
  return report;
}

// The steps of the plan for these inputs with their median times.
absl::StatusOr<Json> Profile(Model& model, int threads, std::span<const Tensor> inputs,
                             int64_t milliseconds) {
  plan::PlanDescription description;
  ASSIGN_OR_RETURN(const auto plan, BuildPlan(model, ShapesOf(inputs), threads, &description));
  ASSIGN_OR_RETURN(
      const plan::StepTimes times,
      plan::MeasureSteps(*plan, inputs,
                         {.runs = 1'000'000, .time = std::chrono::milliseconds(milliseconds)}));
  Json report = Json::array();
  for (size_t i = 0; i < times.steps.size(); ++i) {
    const plan::StepInfo& step = description.steps[i];
    std::string op = step.op;
    for (const std::string& next : step.fused) op += "+" + next;
    report.push_back({{"layer", step.layer},
                      {"op", op},
                      {"implementation", step.implementation},
                      {"ns", times.steps[i].count()}});
  }
  return report;
}

absl::StatusOr<Json> WriteOutputs(const Runner& runner, const std::string& folder) {
  for (size_t i = 0; i < runner.outputs().size(); ++i) {
    const Tensor& output = runner.outputs()[i];
    std::ofstream file(fmt::format("{}/{}.bin", folder, i), std::ios::binary);
    file.write(reinterpret_cast<const char*>(output.data()),
               static_cast<std::streamsize>(output.bytes()));
    if (!file) return InvalidArgument("{}: cannot be written to", folder);
  }
  return Json::object();
}

absl::StatusOr<Json> Answer(Model& model, int threads, Runner& runner, const std::string& line) {
  const size_t space = line.find(' ');
  const std::string command = line.substr(0, space);
  const std::string argument = space == std::string::npos ? "" : line.substr(space + 1);
  if (command == "run") return MeasureRuns(runner, std::atoll(argument.c_str()));
  if (command == "profile") {
    return Profile(model, threads, runner.inputs(), std::atoll(argument.c_str()));
  }
  if (command == "outputs") return WriteOutputs(runner, argument);
  if (command == "memory") return MemoryReport();
  return InvalidArgument("no command is called \"{}\"", command);
}

absl::StatusOr<std::optional<DType>> ReadCompute(const std::string& name) {
  if (name.empty()) return std::nullopt;
  const auto dtype = ParseDType(name);
  if (!dtype) return InvalidArgument("--compute: no dtype is called {}", name);
  return dtype;
}

absl::Status Serve(const std::string& folder, int threads, const std::string& compute_name,
                   const std::vector<std::string>& specs) {
  std::vector<Input> inputs;
  for (const std::string& spec : specs) {
    ASSIGN_OR_RETURN(inputs.emplace_back(), ReadInput(spec));
  }
  const Clock::time_point start = Clock::now();
  ASSIGN_OR_RETURN(const std::optional<DType> compute, ReadCompute(compute_name));
  ASSIGN_OR_RETURN(Model model, LoadModel(folder, compute));
  ASSIGN_OR_RETURN(std::vector<Tensor> ordered, InOrder(*model.network, inputs));
  const std::vector<Shape> shapes = ShapesOf(ordered);
  const int64_t load = NanosecondsSince(start);
  RETURN_IF_ERROR(Materialize(model, shapes, threads));
  const int64_t materialized = NanosecondsSince(start);
  ASSIGN_OR_RETURN(auto plan, BuildPlan(model, shapes, threads));
  const int64_t planned = NanosecondsSince(start);
  const DType computed = plan->compute_dtype();
  ASSIGN_OR_RETURN(const auto runner, Runner::Create(std::move(plan), std::move(ordered)));
  RETURN_IF_ERROR(runner->Run());
  const int64_t answered = NanosecondsSince(start);
  Json ready{{"engine", "lazynet"},
             {"version", kVersion},
             {"compute", Name(computed)},
             {"load_ns", load},
             {"materialize_ns", materialized - load},
             {"plan_ns", planned - materialized},
             {"first_ns", answered - load}};
  ready.update(MemoryReport());
  std::cout << ready << std::endl;

  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    ASSIGN_OR_RETURN(const Json answer, Answer(model, threads, *runner, line));
    std::cout << answer << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace lazynet::bench

int main(int argc, char** argv) {
  lazynet::backend::RestartWithBriefWaits(argv);
  CLI::App app("lazynet's worker of compare.sh");
  std::string folder;
  int threads = 1;
  std::string compute;
  std::vector<std::string> inputs;
  app.add_option("model", folder, "a folder of lazynet-export's")->required();
  app.add_option("--threads", threads, "of OpenMP");
  app.add_option("--compute", compute, "FP32 or BF16; as the definition says");
  app.add_option("--input", inputs, "NAME=DTYPE:DIMS:FILE")->required();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = lazynet::bench::Serve(folder, threads, compute, inputs);
  if (status.ok()) return 0;
  std::cerr << lazynet::Message(status) << std::endl;
  return 1;
}
