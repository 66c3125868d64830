#include "engine/backend/onednn/onednn_backend.h"

#include <type_traits>
#include <utility>

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

// Whether an op has a file here; the others are left to the fallback.
template <typename Kind>
concept HasKernel = requires(const OpContext& context, const Kind& kind) {
  lazynet::backend::Prepare(context, kind);
};

// The op's operands that are there, and its output.
std::vector<const Value*> ValuesOf(const Graph& graph, const Op& op) {
  std::vector<const Value*> values;
  for (const ValueId id : OperandsOf(op)) {
    if (id != kNoValue) values.push_back(&graph.value(id));
  }
  values.push_back(&graph.value(op.result()));
  return values;
}

class OnednnBackend final : public Backend {
 public:
  explicit OnednnBackend(std::unique_ptr<Backend> fallback) : fallback_(std::move(fallback)) {}

  std::string_view name() const override { return "onednn"; }
  bool Supports(DType dtype) const override {
    return dtype == DType::kFp32 || (fallback_ != nullptr && fallback_->Supports(dtype));
  }

  bool Fuses(const Graph& graph, const Op& op, const Op& next) const override {
    const bool takes_more = std::holds_alternative<Convolution>(op.kind) ||
                            std::holds_alternative<InnerProduct>(op.kind);
    return takes_more && (FusesSum(graph, op, next) || FusesActivation(op, next));
  }

  bool ComputesIn(DType dtype, const Graph& graph, const Op& op) const override {
    return dtype == DType::kBf16 && ComputesInBf16(graph, op);
  }

  bool HasWinograd(const Graph& graph, const Op& op) const override {
    const auto* convolution = std::get_if<Convolution>(&op.kind);
    return convolution != nullptr && IsFastByWinograd(graph, op, *convolution);
  }

  absl::StatusOr<PreparedOp> Prepare(const Graph& graph, const Op& op,
                                     std::span<const LayoutPtr> src_layouts,
                                     PackedWeights& packed) const override {
    const OpContext context(graph, op, src_layouts, packed, *this, fallback_.get());
    for (const Value* value : ValuesOf(graph, op)) {
      // oneDNN computes with these only here, and ends the process on some empty tensors, such as
      // those of which a sum is 0.
      const bool computed =
          value->dtype == DType::kFp32 || (value->dtype == DType::kBf16 && !value->is_constant());
      if (!computed || value->shape.num_elements() == 0) return context.Fallback();
    }
    if (context.ComputesBf16() && !own::DetectBf16()) return context.Fallback();
    try {
      return std::visit(
          [&](const auto& kind) -> absl::StatusOr<PreparedOp> {
            if constexpr (HasKernel<std::decay_t<decltype(kind)>>) {
              return lazynet::backend::Prepare(context, kind);
            } else {
              return context.Fallback();
            }
          },
          op.kind);
    } catch (const dnnl::error& error) {
      if (error.status == dnnl_unimplemented) return context.Fallback();
      return FromDnnl(op.layer, error);
    }
  }

  absl::StatusOr<PreparedOp> PrepareReorder(const Value& value, const LayoutPtr& from,
                                            const LayoutPtr& to) const override {
    try {
      return lazynet::backend::PrepareReorder(value, from, to);
    } catch (const dnnl::error& error) {
      return FromDnnl("reorder", error);
    }
  }

 private:
  std::unique_ptr<Backend> fallback_;
};

}  // namespace

std::unique_ptr<Backend> MakeOnednnBackend(std::unique_ptr<Backend> fallback) {
  return std::make_unique<OnednnBackend>(std::move(fallback));
}

}  // namespace lazynet::backend
