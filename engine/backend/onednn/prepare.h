#pragma once

#include <functional>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/onednn/dnnl_layout.h"
#include "engine/backend/onednn/primitive_kernel.h"
#include "engine/backend/packed_weights.h"

namespace lazynet::backend {

// What Backend::Prepare was asked for, with what the files of the single ops need of it.
class OpContext {
 public:
  OpContext(const Graph& graph, const Op& op, std::span<const LayoutPtr> src_layouts,
            PackedWeights& packed, const Backend& backend, const Backend* fallback)
      : graph_(graph),
        op_(op),
        operands_(OperandsOf(op)),
        src_layouts_(src_layouts),
        packed_(packed),
        backend_(backend),
        fallback_(fallback) {}

  const Op& op() const { return op_; }
  int inputs() const { return static_cast<int>(op_.inputs.size()); }
  int operands() const { return static_cast<int>(operands_.size()); }

  // Inputs are counted as in op.h; one that is absent or beyond the op's list is not there. Behind
  // them come the other operands of what is fused to the op.
  bool has(int input) const;
  bool is_constant(int input) const { return has(input) && src(input).is_constant(); }
  const Value& src(int input) const { return graph_.value(id(input)); }
  dnnl::memory::dims src_dims(int input) const { return DimsOf(src(input).shape); }
  const Value& dst() const { return graph_.value(op_.result()); }
  dnnl::memory::dims dst_dims() const { return DimsOf(dst().shape); }

  // BF16 if the op reads any value of that. Constants are FP32 even then, and are packed into what
  // the kernel wants.
  DType dtype() const;
  // Whether it does more with them than to move or convert them.
  bool ComputesBf16() const;
  ElementType type() const { return TypeOf(dtype()); }
  ElementType dst_type() const { return TypeOf(dst().dtype); }

  // How an input lies now; constants are dense.
  dnnl::memory::desc src_desc(int input) const;

  // Whether all inputs from `first` on are constants or absent. The weights of a convolution are,
  // unless a network computes them.
  bool ConstantsFrom(int first) const;

  // The plain tensor of a constant, and its key.
  absl::StatusOr<Tensor> MakeConstant(int input) const;
  const std::string& constant_key(int input) const { return graph_.constant(id(input)).key; }

  // An argument for an input. A constant is read as `plain`, a description of its row-major
  // elements with dims as the primitive names them, and packed into `wanted`, once for all plans.
  absl::StatusOr<Argument> ConstantArgument(int id, int input, const dnnl::memory::desc& plain,
                                            const dnnl::memory::desc& wanted) const;
  // The same for what is made from constants; `key` tells it apart from all else.
  absl::StatusOr<Argument> PackedArgument(int id, const std::string& key,
                                          const std::function<absl::StatusOr<Tensor>()>& make,
                                          const dnnl::memory::desc& plain,
                                          const dnnl::memory::desc& wanted) const;
  absl::StatusOr<Argument> SrcArgument(int id, int input, const dnnl::memory::desc& wanted) const;

  // The op as the other backend prepares it, from dense inputs to a dense output. Of BF16: the
  // kernel of FP32 between conversions.
  absl::StatusOr<PreparedOp> Fallback() const;

 private:
  ValueId id(int input) const { return operands_[static_cast<size_t>(input)]; }

  const Graph& graph_;
  const Op& op_;
  const std::vector<ValueId> operands_;
  std::span<const LayoutPtr> src_layouts_;
  PackedWeights& packed_;
  const Backend& backend_;
  const Backend* fallback_;
};

// One per op, in the file of its name. They throw dnnl::error, which the backend catches in one
// place.
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const InnerProduct& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const MatMul& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Convolution& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Deconvolution& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Pooling& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const AdaptiveAveragePooling& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const AdaptiveMaxPooling& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Resampling& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Normalization& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const LocalResponseNormalization& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const LayerNormalization& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Softmax& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Eltwise& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Prelu& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Binary& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Concat& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Pad& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Permute& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Cast& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Slice& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Recurrent& op);
absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Reduction& op);

// x > 0 ? x : slope x, for Prelu with one slope.
absl::StatusOr<PreparedOp> PrepareLeakyRelu(const OpContext& context, double slope);

// What is fused to an op. A sum comes first and adds to what is in dst.
// Activations are those that take an instruction or two: others are faster in kernels of their own.
bool FusesSum(const Graph& graph, const Op& op, const Op& next);
bool FusesActivation(const Op& op, const Op& next);
// The attributes of a primitive for the op and all of that.
dnnl::primitive_attr AttributesOf(const OpContext& context);

// Says in the prepared op what these want of its operands.
void SetPostOperands(const OpContext& context, PreparedOp& prepared);

// In widened.cc: an op that reads or writes BF16 by the kernel that `backend` has for FP32.
absl::StatusOr<PreparedOp> PrepareWidened(const Graph& graph, const Op& op,
                                          std::span<const LayoutPtr> src_layouts,
                                          PackedWeights& packed, const Backend& backend);

// In convolution.cc, for Backend::HasWinograd.
bool IsFastByWinograd(const Graph& graph, const Op& op, const Convolution& convolution);

// In computes_in.cc, for Backend::ComputesIn.
bool ComputesInBf16(const Graph& graph, const Op& op);

// Whether an op is of any dtype, as it only moves elements.
bool OnlyMoves(const OpKind& kind);

// In reorder.cc; dtypes other than FP32 and BF16 only where nothing changes.
absl::StatusOr<PreparedOp> PrepareReorder(const Value& value, const LayoutPtr& from,
                                          const LayoutPtr& to);

// About how many bytes a primitive takes.
size_t PrimitiveBytes(const dnnl::primitive& primitive, std::string_view implementation);

// A prepared op with the arguments' layouts, but for those whose dims are not the value's own: the
// caller sets them.
template <typename PrimitiveDesc>
PreparedOp Prepared(const OpContext& context, const PrimitiveDesc& desc, dnnl::primitive primitive,
                    std::vector<Argument> arguments) {
  PreparedOp prepared;
  prepared.scratch_bytes = desc.scratchpad_desc().get_size();
  if (prepared.scratch_bytes > 0) {
    arguments.push_back({DNNL_ARG_SCRATCHPAD, desc.scratchpad_desc(), Argument::kScratch, nullptr});
  }
  prepared.src_layouts.resize(static_cast<size_t>(context.operands()));
  for (const Argument& argument : arguments) {
    if (argument.from >= 0 && argument.desc.dims() == context.src_dims(argument.from)) {
      prepared.src_layouts[static_cast<size_t>(argument.from)] = MakeLayout(argument.desc);
    }
    if (argument.from == Argument::kDst && argument.desc.dims() == context.dst_dims()) {
      prepared.dst_layout = MakeLayout(argument.desc);
    }
  }
  prepared.implementation = desc.impl_info_str();
  prepared.kernel_bytes = PrimitiveBytes(primitive, prepared.implementation);
  prepared.kernel = std::make_unique<PrimitiveKernel>(context.op().layer, std::move(primitive),
                                                      std::move(arguments));
  return prepared;
}

// Whether a primitive's name tells of plain loops ("ref:any", "bnorm_ref:any"), or of a matrix
// product over patches that are copied out of the image first ("x64:gemm:jit").
bool IsReference(std::string_view implementation);
bool IsGemm(std::string_view implementation);

// Whether the context's BF16 is computed by plain loops, where the FP32 kernel between conversions
// is faster by far.
bool IsSlowBf16(const OpContext& context, std::string_view implementation);

// The description of a convolution that serves best: `describe` makes one for layouts of src and
// dst, which are of the context's types. Left free, oneDNN takes gemm for groups of few channels,
// depthwise volumes and others, where it has jit kernels for channels-last that are 1.1-3 x faster;
// and blocked layouts for numbers of channels that leave padding, which fills with NaN where src is
// infinite.
template <typename Describe>
auto BestConvolution(const OpContext& context, const dnnl::memory::dims& src,
                     const dnnl::memory::dims& dst, const Describe& describe) {
  const ElementType type = context.type();
  const ElementType dst_type = context.dst_type();
  const auto free = describe(AnyDesc(src, type), AnyDesc(dst, dst_type));
  const auto is_slow = [](std::string_view name) { return IsReference(name) || IsGemm(name); };
  if (!is_slow(free.impl_info_str()) && !HasPadding(free.src_desc()) &&
      !HasPadding(free.dst_desc())) {
    return free;
  }
  const auto channels_last = describe(AxisLastDesc(src, 1, type), AxisLastDesc(dst, 1, dst_type));
  return is_slow(channels_last.impl_info_str()) ? free : channels_last;
}

}  // namespace lazynet::backend
