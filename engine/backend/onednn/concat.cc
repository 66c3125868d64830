#include <algorithm>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;

// Whether slices of these layouts, blocks and all, stand side by side in the layout of the whole.
bool Joins(const std::vector<memory::desc>& srcs, int axis) {
  return std::all_of(srcs.begin(), srcs.end(), [axis](const memory::desc& src) {
    return src.data.dims[axis] == src.data.padded_dims[axis];
  });
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Concat& op) {
  const memory::dims dst_dims = context.dst_dims();
  const auto inputs = static_cast<size_t>(context.inputs());

  // The layout that most inputs have already; of equals the first.
  std::vector<memory::desc> dst_descs;
  for (int input = 0; input < context.inputs(); ++input) {
    dst_descs.push_back(WithType(DescLike(context.src_desc(input), dst_dims), context.type()));
  }
  const auto votes = [&](const memory::desc& layout) {
    return std::count_if(dst_descs.begin(), dst_descs.end(),
                         [&](const memory::desc& other) { return SamePlaces(layout, other); });
  };
  memory::desc dst = *std::max_element(
      dst_descs.begin(), dst_descs.end(),
      [&](const memory::desc& a, const memory::desc& b) { return votes(a) < votes(b); });

  std::vector<memory::desc> srcs(inputs);
  const auto lay_srcs = [&] {
    for (size_t i = 0; i < inputs; ++i) {
      srcs[i] = DescLike(dst, context.src_dims(static_cast<int>(i)));
    }
  };
  lay_srcs();
  if (!Joins(srcs, op.axis)) {
    dst = DenseDesc(dst_dims, context.type());
    lay_srcs();
  }
  const dnnl::concat::primitive_desc desc(dst, op.axis, srcs, CpuEngine(), UserScratchpad());

  std::vector<Argument> arguments;
  for (size_t i = 0; i < inputs; ++i) {
    ASSIGN_OR_RETURN(arguments.emplace_back(),
                     context.SrcArgument(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i),
                                         static_cast<int>(i), srcs[i]));
  }
  arguments.push_back({DNNL_ARG_DST, dst, Argument::kDst, nullptr});
  return Prepared(context, desc, dnnl::concat(desc), std::move(arguments));
}

}  // namespace lazynet::backend
