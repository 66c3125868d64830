#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend/graph.h"

namespace lazynet::plan {

// A tensor that a step reads or writes, as large as one group of items.
struct ValueInfo {
  enum class Source {
    kNone,      // nothing is there to be read: the value is empty
    kInput,     // of the network; `index` says which
    kStep,      // the step that wrote it; `index` says which
    kConstant,  // a parameter, or what was made of parameters; `constant` names it
  };

  DType dtype = DType::kFp32;
  Shape shape;
  std::string layout;  // "dense", "nhwc"; of constants, which kernels pack for themselves, empty
  size_t bytes = 0;    // in that layout
  Source source = Source::kNone;
  int index = 0;
  std::string constant;  // "conv1.weight"; empty for what was computed from several
};

// One executed step, for people.
struct StepInfo {
  std::string layer;               // path; empty for what the plan put in between
  std::string op;                  // backend::DetailedName, or "reorder", "range_check"
  std::vector<std::string> fused;  // what is computed with it, in order
  std::string implementation;      // the kernel's own name; empty for what has none
  int threads = 0;                 // that the kernel was prepared for; 0: there is no kernel
  std::vector<ValueInfo> inputs;   // the op's, then those of what is fused to it
  std::optional<ValueInfo> output;
  double flops = 0;                   // as flops.h counts, fused ops included
  double estimated_microseconds = 0;  // as cost.h guesses, on one thread
};

size_t BytesRead(const StepInfo& step);  // weights included
size_t BytesOfWeights(const StepInfo& step);
size_t BytesWritten(const StepInfo& step);

// What a plan does. Plans that serve do not keep it: it is larger than they are.
struct PlanDescription {
  // In the order of execution: of a plan in parts, one group of each part, one behind the other.
  std::vector<StepInfo> steps;
  std::vector<ValueInfo> outputs;  // of the network, as the first part writes them
};

// An op as a step without its operands: names, FLOPs and the estimate.
StepInfo DescribeOp(const backend::Graph& graph, const backend::Op& op);

// A constant, or another value that is dense; its source is still to be said.
ValueInfo DescribeValue(const backend::Graph& graph, backend::ValueId id);

// What is known of a graph before there are kernels: one step for each op, reshapes being views,
// all values dense.
PlanDescription DescribeGraph(const backend::Graph& graph);

}  // namespace lazynet::plan
