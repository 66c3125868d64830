#include "engine/backend/onednn/onednn_backend.h"

#include <type_traits>
#include <utility>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

class OnednnBackend final : public Backend {
 public:
  explicit OnednnBackend(std::unique_ptr<Backend> fallback) : fallback_(std::move(fallback)) {}

  std::string_view name() const override { return "onednn"; }
  bool Supports(DType dtype) const override { return dtype == DType::kFp32; }

  absl::StatusOr<PreparedOp> Prepare(const Graph& graph, const Op& op,
                                     std::span<const LayoutPtr> src_layouts,
                                     PackedWeights& packed) const override {
    RETURN_IF_ERROR(CheckValues(graph, op));
    const OpContext context(graph, op, src_layouts, packed, fallback_.get());
    try {
      return std::visit(
          [&](const auto& kind) -> absl::StatusOr<PreparedOp> {
            using Kind = std::decay_t<decltype(kind)>;
            // Nothing in oneDNN pads but by zeros, and reshapes are views that never come here.
            if constexpr (std::is_same_v<Kind, Pad> || std::is_same_v<Kind, Reshape>) {
              return context.Fallback();
            } else {
              return lazynet::backend::Prepare(context, kind);
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
  // oneDNN ends the process on some empty tensors, and takes no element type but FP32 here.
  static absl::Status CheckValues(const Graph& graph, const Op& op) {
    const auto check = [&](ValueId id) -> absl::Status {
      const Value& value = graph.value(id);
      if (value.dtype != DType::kFp32) {
        return Unimplemented("layer \"{}\": oneDNN computes FP32 only, got {}", op.layer,
                             Name(value.dtype));
      }
      if (value.shape.num_elements() == 0) {
        return Internal("layer \"{}\": a tensor of shape {} reached oneDNN", op.layer,
                        value.shape.ToString());
      }
      return absl::OkStatus();
    };
    for (const ValueId id : op.inputs) {
      if (id != kNoValue) RETURN_IF_ERROR(check(id));
    }
    return check(op.output);
  }

  std::unique_ptr<Backend> fallback_;
};

}  // namespace

std::unique_ptr<Backend> MakeOnednnBackend(std::unique_ptr<Backend> fallback) {
  return std::make_unique<OnednnBackend>(std::move(fallback));
}

}  // namespace lazynet::backend
