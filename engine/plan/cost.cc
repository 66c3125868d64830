#include "engine/plan/cost.h"

#include <algorithm>

#include "engine/plan/flops.h"

namespace lazynet::plan {
namespace {

constexpr double kFlopsPerMicrosecond = 150e3;
constexpr double kBytesPerMicrosecond = 20e3;

}  // namespace

double EstimatedMicroseconds(const backend::Graph& graph, const backend::Op& op) {
  if (std::holds_alternative<backend::Reshape>(op.kind)) return 0;
  double bytes = 0;
  std::vector<backend::ValueId> values = OperandsOf(op);
  values.push_back(op.result());
  for (const backend::ValueId id : values) {
    if (id == backend::kNoValue) continue;
    bytes += static_cast<double>(ByteSize(graph.value(id).dtype, graph.value(id).shape));
  }
  return std::max(Flops(graph, op) / kFlopsPerMicrosecond, bytes / kBytesPerMicrosecond);
}

double MicrosecondsToMove(size_t bytes) {
  return static_cast<double>(bytes) / kBytesPerMicrosecond;
}

double EstimatedMicroseconds(const backend::Graph& graph) {
  double sum = 0;
  for (const backend::Op& op : graph.ops) sum += EstimatedMicroseconds(graph, op);
  return sum;
}

}  // namespace lazynet::plan
