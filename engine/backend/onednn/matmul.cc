#include <utility>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;

// The memory of dense [..., N, K] described as [..., K, N].
memory::desc Transposed(const memory::dims& dims, ElementType type) {
  memory::desc desc = DenseDesc(dims, type);
  std::vector<int> order(dims.size());
  for (size_t axis = 0; axis < order.size(); ++axis) order[axis] = static_cast<int>(axis);
  std::swap(order[order.size() - 2], order[order.size() - 1]);
  return desc.permute_axes(order);
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const MatMul& op) {
  // A gemm that is told to multiply by 0 does not look at the matrices, nor at NaN in them.
  if (op.alpha == 0) return context.Fallback();
  const ElementType type = context.type();
  const memory::desc src0 = DenseDesc(context.src_dims(0), type);
  const memory::desc src1 =
      op.transpose_b ? Transposed(context.src_dims(1), type) : DenseDesc(context.src_dims(1), type);
  const memory::desc dst = DenseDesc(context.dst_dims(), context.dst_type());
  dnnl::primitive_attr attributes = UserScratchpad();
  if (op.alpha != 1) attributes.set_output_scales(0, {static_cast<float>(op.alpha)});
  const auto describe = [&](const memory::desc& weights) {
    return dnnl::matmul::primitive_desc({src0, weights, dst}, attributes, CpuEngine());
  };
  auto desc = describe(context.is_constant(1) ? AnyDesc(src1.dims(), type) : src1);
  if (IsSlowBf16(context, desc.impl_info_str())) return context.Fallback();
  // Without AVX512 nothing is gained by packing.
  if (IsGemm(desc.impl_info_str())) desc = describe(src1);

  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, src0));
  if (context.is_constant(1)) {
    ASSIGN_OR_RETURN(
        arguments.emplace_back(),
        context.ConstantArgument(DNNL_ARG_WEIGHTS, 1, WithType(src1, kF32), desc.weights_desc()));
  } else {
    arguments.push_back({DNNL_ARG_WEIGHTS, src1, 1, nullptr});
  }
  arguments.push_back({DNNL_ARG_DST, dst, Argument::kDst, nullptr});
  PreparedOp prepared = Prepared(context, desc, dnnl::matmul(desc), std::move(arguments));
  // A square matrix that is read as transposed lies dense nevertheless.
  prepared.src_layouts[1] = nullptr;
  return prepared;
}

}  // namespace lazynet::backend
