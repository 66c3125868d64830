#include <cstring>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

// Between equal layouts.
class CopyKernel final : public Kernel {
 public:
  explicit CopyKernel(size_t bytes) : bytes_(bytes) {}

  absl::Status Run(const Buffers& buffers) const override {
    std::memcpy(buffers.dst, buffers.srcs[0], bytes_);
    return absl::OkStatus();
  }

 private:
  size_t bytes_;
};

}  // namespace

absl::StatusOr<PreparedOp> PrepareReorder(const Value& value, const LayoutPtr& from,
                                          const LayoutPtr& to) {
  PreparedOp prepared;
  prepared.src_layouts = {from};
  prepared.dst_layout = to;
  if (SameLayout(from, to)) {
    prepared.implementation = "copy";
    prepared.kernel = std::make_unique<CopyKernel>(LayoutBytes(value, from));
    return prepared;
  }
  if (value.dtype != DType::kFp32 && value.dtype != DType::kBf16) {
    return Unimplemented("oneDNN's layouts are of FP32 and BF16 only, got {}", Name(value.dtype));
  }
  const auto src = DescOf(value, from);
  const auto dst = DescOf(value, to);
  const dnnl::reorder::primitive_desc desc(CpuEngine(), src, CpuEngine(), dst, UserScratchpad());
  prepared.scratch_bytes = desc.scratchpad_desc().get_size();
  prepared.implementation = desc.impl_info_str();
  std::vector<Argument> arguments{{DNNL_ARG_FROM, src, 0, nullptr},
                                  {DNNL_ARG_TO, dst, Argument::kDst, nullptr}};
  if (prepared.scratch_bytes > 0) {
    arguments.push_back({DNNL_ARG_SCRATCHPAD, desc.scratchpad_desc(), Argument::kScratch, nullptr});
  }
  prepared.kernel =
      std::make_unique<PrimitiveKernel>("reorder", dnnl::reorder(desc), std::move(arguments));
  return prepared;
}

}  // namespace lazynet::backend
