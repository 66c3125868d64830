#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const LayerNormalization& op) {
  if (op.rms) return context.Fallback();
  const auto src = DenseDesc(context.src_dims(0), context.type());
  const auto per_column = DenseDesc({context.src_dims(0)[1]});
  constexpr int kScale = 1;
  constexpr int kShift = 2;
  auto flags = dnnl::normalization_flags::none;
  if (context.has(kScale)) flags |= dnnl::normalization_flags::use_scale;
  if (context.has(kShift)) flags |= dnnl::normalization_flags::use_shift;
  const dnnl::layer_normalization_forward::primitive_desc desc(
      {dnnl::prop_kind::forward_inference, src, static_cast<float>(op.eps), flags},
      UserScratchpad(), CpuEngine());

  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, src));
  if (context.has(kScale)) {
    ASSIGN_OR_RETURN(arguments.emplace_back(),
                     context.SrcArgument(DNNL_ARG_SCALE, kScale, per_column));
  }
  if (context.has(kShift)) {
    ASSIGN_OR_RETURN(arguments.emplace_back(),
                     context.SrcArgument(DNNL_ARG_SHIFT, kShift, per_column));
  }
  arguments.push_back({DNNL_ARG_DST, src, Argument::kDst, nullptr});
  PreparedOp prepared =
      Prepared(context, desc, dnnl::layer_normalization_forward(desc), std::move(arguments));
  prepared.in_place = !context.is_constant(0);
  return prepared;
}

}  // namespace lazynet::backend
