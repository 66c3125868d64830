#include <variant>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

bool FusesActivation(const Op& op, const Op& next) {
  const auto* eltwise = std::get_if<Eltwise>(&next.kind);
  if (eltwise == nullptr) return false;
  // One follows a sum, none another one.
  if (!op.fused.empty() && !std::holds_alternative<Binary>(op.fused.back().kind)) return false;
  return eltwise->algorithm == Eltwise::Algorithm::kRelu ||
         eltwise->algorithm == Eltwise::Algorithm::kClamp;
}

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

dnnl::primitive_attr AttributesOf(const OpContext& context) {
  dnnl::primitive_attr attributes = UserScratchpad();
  if (context.op().fused.empty()) return attributes;
  dnnl::post_ops post_ops;
  for (const Op& next : context.op().fused) {
    const auto* eltwise = std::get_if<Eltwise>(&next.kind);
    if (eltwise == nullptr) {
      post_ops.append_sum(1.0f);
    } else if (eltwise->algorithm == Eltwise::Algorithm::kRelu) {
      post_ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    } else {
      post_ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_clip,
                              static_cast<float>(eltwise->alpha),
                              static_cast<float>(eltwise->beta));
    }
  }
  attributes.set_post_ops(post_ops);
  return attributes;
}

void SetPostOperands(const OpContext& context, PreparedOp& prepared) {
  const std::vector<Op>& fused = context.op().fused;
  if (fused.empty() || !std::holds_alternative<Binary>(fused.front().kind)) return;
  prepared.adds_to = context.inputs();
  prepared.src_layouts[static_cast<size_t>(prepared.adds_to)] = prepared.dst_layout;
}

}  // namespace lazynet::backend
