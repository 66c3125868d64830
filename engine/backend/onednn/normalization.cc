#include <utility>
#include <vector>

#include "engine/backend/onednn/own/instance_normalization.h"
#include "engine/backend/onednn/own_kernel.h"
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

// A constant [C] followed by zeros, or `missing` in its place.
absl::StatusOr<std::vector<float>> PerChannel(const OpContext& context, int input, size_t channels,
                                              size_t padded, float missing) {
  std::vector<float> values(channels, missing);
  if (context.has(input)) {
    ASSIGN_OR_RETURN(const Tensor tensor, context.MakeConstant(input));
    const auto elements = tensor.values<float>();
    values.assign(elements.begin(), elements.end());
  }
  values.resize(padded);
  return values;
}

// [N, C, ...] without gaps as row-major, which ChannelBlocksOf may take for channels-last where
// that is the same.
ChannelBlocks RowMajorBlocks(const memory::dims& dims) {
  ChannelBlocks blocks{dims[0], dims[1], 1, 1};
  for (size_t axis = 2; axis < dims.size(); ++axis) blocks.elements *= dims[axis];
  return blocks;
}

// By statistics of single channels, in any layout, or of groups of them, row-major.
absl::StatusOr<PreparedOp> PreparePerItem(const OpContext& context, const Normalization& op) {
  if (context.dtype() == DType::kBf16) return context.Fallback();
  memory::desc src = context.src_desc(0);
  const int64_t group =
      op.statistics == Normalization::Statistics::kPerGroup ? src.dims()[1] / op.groups : 1;
  std::optional<ChannelBlocks> blocks;
  if (group == 1) blocks = ChannelBlocksOf(src);
  if (!blocks) {
    src = DenseDesc(src.dims(), context.type());
    blocks = RowMajorBlocks(src.dims());
  }
  const auto channels = static_cast<size_t>(src.dims()[1]);
  const auto padded = static_cast<size_t>(blocks->channel_blocks * blocks->block);
  // Zeros as the scale and shift of channels that are padding keep it zero.
  ASSIGN_OR_RETURN(std::vector<float> scale, PerChannel(context, kScale, channels, padded, 1));
  ASSIGN_OR_RETURN(std::vector<float> shift, PerChannel(context, kShift, channels, padded, 0));
  own::InstanceNormalization shape;
  shape.images = blocks->images;
  shape.channel_blocks = blocks->channel_blocks;
  shape.elements = blocks->elements;
  shape.block = blocks->block;
  shape.group = group;
  shape.eps = static_cast<float>(op.eps);

  const own::Isa isa = own::DetectIsa();
  PreparedOp prepared;
  prepared.src_layouts.resize(static_cast<size_t>(context.inputs()));
  prepared.src_layouts[0] = prepared.dst_layout = MakeLayout(src);
  prepared.in_place = true;
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel =
      MakeOwnKernel([run = own::SelectInstanceNormalization(isa), shape, scale = std::move(scale),
                     shift = std::move(shift)](const float* src_data, float* dst_data, float*) {
        own::InstanceNormalization with_affine = shape;
        with_affine.scale = scale.data();
        with_affine.shift = shift.data();
        run(with_affine, src_data, dst_data);
      });
  return prepared;
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Normalization& op) {
  if (context.is_constant(0) || !context.ConstantsFrom(1)) return context.Fallback();
  if (op.statistics == Normalization::Statistics::kPerInstance ||
      op.statistics == Normalization::Statistics::kPerGroup) {
    return PreparePerItem(context, op);
  }
  memory::desc src = context.src_desc(0);
  PrimitiveDesc desc = Describe(context, op, src);
  if (IsReference(desc.impl_info_str()) && !IsDense(src)) {
    src = DenseDesc(src.dims(), context.type());
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
