#include <cmath>
#include <cstring>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;
using PrimitiveDesc = dnnl::batch_normalization_forward::primitive_desc;

// Inputs as in op.h.
constexpr int kMean = 1;
constexpr int kVariance = 2;
constexpr int kScale = 3;
constexpr int kShift = 4;

PrimitiveDesc Describe(const OpContext& context, const Normalization& op, const memory::desc& src) {
  auto flags = dnnl::normalization_flags::none;
  if (op.statistics == Normalization::Statistics::kGiven) {
    flags |= dnnl::normalization_flags::use_global_stats;
  }
  if (context.has(kScale)) flags |= dnnl::normalization_flags::use_scale;
  if (context.has(kShift)) flags |= dnnl::normalization_flags::use_shift;
  return PrimitiveDesc({dnnl::prop_kind::forward_inference, src, static_cast<float>(op.eps), flags},
                       UserScratchpad(), CpuEngine());
}

// A constant [C] repeated for each of `images`: what the channels of one image are to the op are
// images times channels to the primitive.
absl::StatusOr<Argument> Repeated(const OpContext& context, int id, int input, int64_t images) {
  ASSIGN_OR_RETURN(const Tensor tensor, context.MakeConstant(input));
  const size_t bytes = tensor.bytes();
  ASSIGN_OR_RETURN(Buffer buffer, Buffer::Allocate(bytes * static_cast<size_t>(images)));
  for (int64_t image = 0; image < images; ++image) {
    std::memcpy(buffer.data() + static_cast<size_t>(image) * bytes, tensor.data(), bytes);
  }
  return Argument{id, DenseDesc({tensor.shape().num_elements() * images}), Argument::kConstant,
                  std::make_shared<const Buffer>(std::move(buffer))};
}

// Per instance: batch statistics of src seen as one image of N * C channels.
absl::StatusOr<PreparedOp> PreparePerInstance(const OpContext& context, const Normalization& op) {
  const memory::dims dims = context.src_dims(0);
  memory::dim elements = 1;
  for (size_t i = 2; i < dims.size(); ++i) elements *= dims[i];
  const memory::desc src = DenseDesc({1, dims[0] * dims[1], elements});
  const PrimitiveDesc desc = Describe(context, op, src);

  std::vector<Argument> arguments{{DNNL_ARG_SRC, src, 0, nullptr}};
  for (const auto& [id, input] : {std::pair{DNNL_ARG_SCALE, kScale}, {DNNL_ARG_SHIFT, kShift}}) {
    if (!context.has(input)) continue;
    ASSIGN_OR_RETURN(arguments.emplace_back(), Repeated(context, id, input, dims[0]));
  }
  arguments.push_back({DNNL_ARG_DST, src, Argument::kDst, nullptr});
  PreparedOp prepared =
      Prepared(context, desc, dnnl::batch_normalization_forward(desc), std::move(arguments));
  prepared.in_place = true;
  return prepared;
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Normalization& op) {
  if (context.is_constant(0) || !context.ConstantsFrom(1)) return context.Fallback();
  if (op.statistics == Normalization::Statistics::kPerInstance) {
    return PreparePerInstance(context, op);
  }
  memory::desc src = context.src_desc(0);
  PrimitiveDesc desc = Describe(context, op, src);
  if (IsReference(desc.impl_info_str()) && !IsDense(src)) {
    src = DenseDesc(src.dims());
    desc = Describe(context, op, src);
  }
  const memory::desc per_channel = DenseDesc({src.dims()[1]});
  std::vector<Argument> arguments{{DNNL_ARG_SRC, src, 0, nullptr}};
  for (const auto& [id, input] : {std::pair{DNNL_ARG_MEAN, kMean},
                                  {DNNL_ARG_VARIANCE, kVariance},
                                  {DNNL_ARG_SCALE, kScale},
                                  {DNNL_ARG_SHIFT, kShift}}) {
    if (!context.has(input)) continue;
    ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(id, input, per_channel));
  }
  arguments.push_back({DNNL_ARG_DST, src, Argument::kDst, nullptr});
  PreparedOp prepared =
      Prepared(context, desc, dnnl::batch_normalization_forward(desc), std::move(arguments));
  prepared.in_place = true;
  return prepared;
}

}  // namespace lazynet::backend
