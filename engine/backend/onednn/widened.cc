#include <algorithm>
#include <utility>

#include "engine/backend/onednn/own/conversion.h"
#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

LayoutPtr WithDType(const Value& value, const LayoutPtr& layout, DType dtype) {
  return layout == nullptr ? nullptr : MakeLayout(WithType(DescOf(value, layout), TypeOf(dtype)));
}

// An FP32 kernel between conversions. Its operands and result are in scratch memory.
class WidenedKernel final : public Kernel {
 public:
  // A value of BF16, and where in scratch memory it is as FP32.
  struct Copy {
    size_t elements = 0;  // none: the value is not BF16
    size_t offset = 0;
  };
  struct Copies {
    std::vector<Copy> srcs;
    Copy dst;
    size_t pointers = 0;  // where the addresses of the operands are
    size_t bytes = 0;     // behind what the kernel itself needs
  };

  WidenedKernel(std::unique_ptr<Kernel> kernel, Copies copies)
      : kernel_(std::move(kernel)), copies_(std::move(copies)) {}

  absl::Status Run(const Buffers& buffers) const override {
    auto* const srcs = reinterpret_cast<const std::byte**>(buffers.scratch + copies_.pointers);
    for (size_t i = 0; i < buffers.srcs.size(); ++i) {
      const auto [elements, offset] = copies_.srcs[i];
      srcs[i] = buffers.srcs[i];
      if (elements == 0) continue;
      srcs[i] = buffers.scratch + offset;
      own::Convert(reinterpret_cast<const own::Bf16*>(buffers.srcs[i]),
                   reinterpret_cast<float*>(buffers.scratch + offset), elements);
    }
    const auto [elements, offset] = copies_.dst;
    std::byte* const dst = elements == 0 ? buffers.dst : buffers.scratch + offset;
    RETURN_IF_ERROR(kernel_->Run({{srcs, buffers.srcs.size()}, dst, buffers.scratch}));
    if (elements != 0) {
      own::Convert(reinterpret_cast<const float*>(dst), reinterpret_cast<own::Bf16*>(buffers.dst),
                   elements);
    }
    return absl::OkStatus();
  }

 private:
  std::unique_ptr<Kernel> kernel_;
  Copies copies_;
};

}  // namespace

absl::StatusOr<PreparedOp> PrepareWidened(const Graph& graph, const Op& op,
                                          std::span<const LayoutPtr> src_layouts,
                                          PackedWeights& packed, const Backend& backend) {
  const auto is_bf16 = [&](ValueId id) {
    return id != kNoValue && !graph.value(id).is_constant() &&
           graph.value(id).dtype == DType::kBf16;
  };
  Graph wide = graph;
  std::vector<LayoutPtr> layouts(src_layouts.begin(), src_layouts.end());
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const ValueId id = op.inputs[i];
    if (!is_bf16(id)) continue;
    layouts[i] = WithDType(graph.value(id), layouts[i], DType::kFp32);
    wide.values[static_cast<size_t>(id)].dtype = DType::kFp32;
  }
  if (is_bf16(op.output)) wide.values[static_cast<size_t>(op.output)].dtype = DType::kFp32;
  ASSIGN_OR_RETURN(PreparedOp prepared, backend.Prepare(wide, op, layouts, packed));

  WidenedKernel::Copies copies;
  copies.bytes = copies.pointers = Buffer::Align(prepared.scratch_bytes);
  copies.bytes += Buffer::Align(op.inputs.size() * sizeof(std::byte*));
  const auto add = [&](ValueId id, LayoutPtr& layout) {
    const size_t bytes = LayoutBytes(wide.value(id), layout);
    const WidenedKernel::Copy copy{bytes / sizeof(float), copies.bytes};
    copies.bytes += Buffer::Align(bytes);
    layout = WithDType(wide.value(id), layout, DType::kBf16);
    return copy;
  };
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    copies.srcs.emplace_back();
    if (is_bf16(op.inputs[i])) copies.srcs[i] = add(op.inputs[i], prepared.src_layouts[i]);
  }
  if (is_bf16(op.output)) copies.dst = add(op.output, prepared.dst_layout);
  prepared.scratch_bytes = copies.bytes;
  prepared.in_place = false;
  prepared.implementation += "+widened";
  prepared.kernel = std::make_unique<WidenedKernel>(std::move(prepared.kernel), std::move(copies));
  return prepared;
}

}  // namespace lazynet::backend
