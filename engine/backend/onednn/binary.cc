#include <optional>
#include <utility>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;

memory::dims WithRank(memory::dims dims, size_t rank) {
  dims.insert(dims.begin(), rank - dims.size(), 1);
  return dims;
}

// oneDNN's maximum and minimum lose a NaN; the rest it has not.
std::optional<dnnl::algorithm> AlgorithmOf(Binary::Algorithm algorithm) {
  switch (algorithm) {
    case Binary::Algorithm::kAdd:
      return dnnl::algorithm::binary_add;
    case Binary::Algorithm::kSub:
      return dnnl::algorithm::binary_sub;
    case Binary::Algorithm::kMul:
      return dnnl::algorithm::binary_mul;
    case Binary::Algorithm::kDiv:
      return dnnl::algorithm::binary_div;
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Binary& op) {
  const std::optional<dnnl::algorithm> algorithm = AlgorithmOf(op.algorithm);
  if (!algorithm) return context.Fallback();
  const memory::dims dst_dims = context.dst_dims();
  const size_t rank = dst_dims.size();

  // The first operand is the one that is not stretched, if there is one: oneDNN has plain loops for
  // the other case. Of two such, a value goes before a constant.
  const auto whole = [&](int input) { return context.src_dims(input) == dst_dims; };
  const bool commutes =
      op.algorithm == Binary::Algorithm::kAdd || op.algorithm == Binary::Algorithm::kMul;
  if (!commutes && !whole(0)) return context.Fallback();
  const bool swap =
      commutes && whole(1) && (!whole(0) || (context.is_constant(0) && !context.is_constant(1)));
  const int first = swap ? 1 : 0;
  const int second = swap ? 0 : 1;

  // Of BF16 values, constants are packed into BF16 too.
  const ElementType type = context.type();
  memory::desc src0 = whole(first) ? WithType(context.src_desc(first), type)
                                   : DenseDesc(WithRank(context.src_dims(first), rank), type);
  // Padding would become 0 / 0.
  if (op.algorithm == Binary::Algorithm::kDiv && HasPadding(src0)) {
    src0 = DenseDesc(dst_dims, type);
  }
  const auto describe = [&] {
    const memory::desc src1 =
        whole(second) ? src0 : DenseDesc(WithRank(context.src_dims(second), rank), type);
    const memory::desc dst = whole(first) ? src0 : DenseDesc(dst_dims, type);
    return dnnl::binary::primitive_desc({*algorithm, src0, src1, dst}, UserScratchpad(),
                                        CpuEngine());
  };
  auto desc = describe();
  if (IsReference(desc.impl_info_str()) && whole(first) && !IsDense(src0)) {
    src0 = DenseDesc(dst_dims, type);
    desc = describe();
  }
  if (IsSlowBf16(context, desc.impl_info_str())) return context.Fallback();

  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   context.SrcArgument(DNNL_ARG_SRC_0, first, desc.src0_desc()));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   context.SrcArgument(DNNL_ARG_SRC_1, second, desc.src1_desc()));
  arguments.push_back({DNNL_ARG_DST, desc.dst_desc(), Argument::kDst, nullptr});
  PreparedOp prepared = Prepared(context, desc, dnnl::binary(desc), std::move(arguments));
  prepared.in_place = whole(0) && first == 0 && !context.is_constant(0);
  return prepared;
}

}  // namespace lazynet::backend
