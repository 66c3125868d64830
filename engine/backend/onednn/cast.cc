#include "engine/backend/onednn/own/conversion.h"
#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

template <typename Src, typename Dst>
class CastKernel final : public Kernel {
 public:
  explicit CastKernel(size_t elements) : elements_(elements) {}

  absl::Status Run(const Buffers& buffers) const override {
    own::Convert(reinterpret_cast<const Src*>(buffers.srcs[0]), reinterpret_cast<Dst*>(buffers.dst),
                 elements_);
    return absl::OkStatus();
  }

 private:
  size_t elements_;
};

}  // namespace

// Between FP32 and BF16, in the layout that src has.
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Cast&) {
  if (context.is_constant(0) || context.src(0).dtype == context.dst().dtype) {
    return context.Fallback();
  }
  const dnnl::memory::desc src = context.src_desc(0);
  const size_t elements = ElementCount(src);
  PreparedOp prepared;
  prepared.src_layouts = {MakeLayout(src)};
  prepared.dst_layout = MakeLayout(WithType(src, context.dst_type()));
  prepared.implementation = "own:convert";
  if (context.dst().dtype == DType::kBf16) {
    prepared.kernel = std::make_unique<CastKernel<float, own::Bf16>>(elements);
  } else {
    prepared.kernel = std::make_unique<CastKernel<own::Bf16, float>>(elements);
  }
  return prepared;
}

}  // namespace lazynet::backend
