#include <variant>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

bool FusesSum(const Graph& graph, const Op& op, const Op& next) {
  const auto* binary = std::get_if<Binary>(&next.kind);
  if (binary == nullptr || binary->algorithm != Binary::Algorithm::kAdd || !op.fused.empty()) {
    return false;
  }
  const Value& made = graph.value(op.output);
  for (const ValueId id : next.inputs) {
    const Value& value = graph.value(id);
    if (value.is_constant() || value.shape != made.shape) return false;
  }
  return next.inputs[0] != next.inputs[1];
}

void AppendPostOps(const OpContext& context, dnnl::primitive_attr& attributes) {
  if (context.op().fused.empty()) return;
  dnnl::post_ops post_ops;
  post_ops.append_sum(1.0f);
  attributes.set_post_ops(post_ops);
}

void SetPostOperands(const OpContext& context, PreparedOp& prepared) {
  if (context.op().fused.empty()) return;
  prepared.adds_to = context.inputs();
  prepared.src_layouts[static_cast<size_t>(prepared.adds_to)] = prepared.dst_layout;
}

}  // namespace lazynet::backend
