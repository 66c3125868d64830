#include <algorithm>

#include "engine/backend/onednn/own/elementwise.h"
#include "engine/backend/onednn/own/reduction.h"
#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

// Whether each kind of op has a kernel of its own for BF16. What its values are is known to be
// fine.
class Rule {
 public:
  Rule(const Graph& graph, const Op& op) : graph_(graph), op_(op) {}

  bool operator()(const InnerProduct&) const { return IsValue(0) && ConstantsFrom(1); }
  bool operator()(const Convolution&) const { return IsValue(0) && ConstantsFrom(1); }
  bool operator()(const Deconvolution&) const { return IsValue(0) && ConstantsFrom(1); }
  bool operator()(const MatMul& op) const { return op.alpha != 0 && IsValue(0); }

  bool operator()(const Pooling&) const { return IsValue(0); }
  bool operator()(const AdaptiveAveragePooling&) const { return IsValue(0); }
  bool operator()(const AdaptiveMaxPooling&) const { return IsValue(0); }
  bool operator()(const Softmax&) const { return IsValue(0); }
  bool operator()(const LayerNormalization& op) const {
    return !op.rms && IsValue(0) && ConstantsFrom(1);
  }
  bool operator()(const Eltwise& op) const {
    return IsValue(0) && own::SelectElementwise<float>(op.algorithm, own::Isa::kSse2) != nullptr;
  }
  bool operator()(const Prelu&) const {
    return IsValue(0) && ConstantsFrom(1) && shape(op_.inputs[1]).num_elements() == 1;
  }
  bool operator()(const Normalization& op) const {
    return op.statistics == Normalization::Statistics::kGiven && IsValue(0) && ConstantsFrom(1);
  }
  bool operator()(const Reduction& op) const {
    return IsValue(0) && own::SelectReduction<float>(op, own::Isa::kSse2) != nullptr;
  }
  bool operator()(const Binary& op) const {
    switch (op.algorithm) {
      case Binary::Algorithm::kAdd:
      case Binary::Algorithm::kMul:
        return true;
      case Binary::Algorithm::kSub:
      case Binary::Algorithm::kDiv:
        return IsValue(0) && shape(op_.inputs[0]) == shape(op_.output);
      default:
        return false;
    }
  }
  bool operator()(const Concat&) const { return true; }

  template <typename Other>
  bool operator()(const Other& op) const {
    return OnlyMoves(op) && ValuesFrom(0);
  }

 private:
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }
  bool IsValue(size_t input) const { return !graph_.value(op_.inputs[input]).is_constant(); }
  bool ConstantsFrom(size_t first) const {
    return std::all_of(
        op_.inputs.begin() + static_cast<ptrdiff_t>(first), op_.inputs.end(),
        [&](ValueId id) { return id == kNoValue || graph_.value(id).is_constant(); });
  }
  // Whether all of the type of the elements are values: none has to be converted.
  bool ValuesFrom(size_t first) const {
    return std::none_of(op_.inputs.begin() + static_cast<ptrdiff_t>(first), op_.inputs.end(),
                        [&](ValueId id) {
                          return id != kNoValue && graph_.value(id).is_constant() &&
                                 IsFloating(graph_.value(id).dtype);
                        });
  }

  const Graph& graph_;
  const Op& op_;
};

}  // namespace

bool OnlyMoves(const OpKind& kind) {
  return std::holds_alternative<Permute>(kind) || std::holds_alternative<Slice>(kind) ||
         std::holds_alternative<Expand>(kind) || std::holds_alternative<Pad>(kind) ||
         std::holds_alternative<Concat>(kind) || std::holds_alternative<Triangle>(kind) ||
         std::holds_alternative<Where>(kind) || std::holds_alternative<Gather>(kind) ||
         std::holds_alternative<IndexSelect>(kind) || std::holds_alternative<GatherAlong>(kind);
}

bool ComputesInBf16(const Graph& graph, const Op& op) {
  // Without these instructions oneDNN has no kernels, or none that are worth it.
  if (!own::DetectBf16()) return false;
  const auto is_fine = [&](ValueId id) {
    const Value& value = graph.value(id);
    return value.shape.num_elements() > 0 && (value.dtype == DType::kFp32 || OnlyMoves(op.kind));
  };
  if (graph.value(op.output).dtype != DType::kFp32 || !is_fine(op.output)) return false;
  return std::all_of(op.inputs.begin(), op.inputs.end(),
                     [&](ValueId id) { return id == kNoValue || is_fine(id); }) &&
         std::visit(Rule(graph, op), op.kind);
}

}  // namespace lazynet::backend
