#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;
using PrimitiveDesc = dnnl::deconvolution_forward::primitive_desc;

// PyTorch's weights (C, O/g, kernel...) read as oneDNN names them: [g,] O/g, C/g, kernel...
memory::desc PlainWeights(const memory::dims& torch, memory::dim groups) {
  memory::dim kernel_elements = 1;
  for (size_t i = 2; i < torch.size(); ++i) kernel_elements *= torch[i];
  const memory::dim src_channels = torch[0] / groups;
  const memory::dim dst_channels = torch[1];

  memory::dims dims{dst_channels, src_channels};
  memory::dims strides{kernel_elements, dst_channels * kernel_elements};
  if (groups > 1) {
    dims.insert(dims.begin(), groups);
    strides.insert(strides.begin(), src_channels * dst_channels * kernel_elements);
  }
  memory::dim stride = kernel_elements;
  for (size_t i = 2; i < torch.size(); ++i) {
    stride /= torch[i];
    dims.push_back(torch[i]);
    strides.push_back(stride);
  }
  return memory::desc(dims, memory::data_type::f32, strides);
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Deconvolution& op) {
  if (!context.ConstantsFrom(1)) return context.Fallback();
  const memory::dims src_dims = context.src_dims(0);
  const memory::dims dst_dims = context.dst_dims();
  const memory::dims torch_weights = context.src_dims(1);
  const memory::desc plain_weights = PlainWeights(torch_weights, op.groups);
  const auto bias = context.has(2) ? DenseDesc({dst_dims[1]}) : memory::desc();

  memory::dims dilates = DimsOf(op.dilations);
  const memory::dims strides = DimsOf(op.strides);
  const memory::dims padding_l = DimsOf(op.padding);
  memory::dims padding_r(padding_l.size());
  for (size_t i = 0; i < dilates.size(); ++i) {
    // What is left of the full scatter when dst has its given size; negative where dst is larger,
    // by an output padding that exceeds the padding.
    padding_r[i] = (src_dims[i + 2] - 1) * strides[i] + dilates[i] * (torch_weights[i + 2] - 1) +
                   1 - padding_l[i] - dst_dims[i + 2];
    // oneDNN's limit: rows that begin after the last scattered element.
    if (padding_r[i] + strides[i] <= 0) return context.Fallback();
    dilates[i] -= 1;
  }
  const auto describe = [&](const memory::desc& src, const memory::desc& dst) {
    return PrimitiveDesc({dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct,
                          src, AnyDesc(plain_weights.dims(), context.type()), bias, dst, strides,
                          dilates, padding_l, padding_r},
                         UserScratchpad(), CpuEngine());
  };
  const PrimitiveDesc desc = BestConvolution(context, src_dims, dst_dims, describe);

  if (IsSlowBf16(context, desc.impl_info_str())) return context.Fallback();
  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, desc.src_desc()));
  ASSIGN_OR_RETURN(
      arguments.emplace_back(),
      context.ConstantArgument(DNNL_ARG_WEIGHTS, 1, plain_weights, desc.weights_desc()));
  if (context.has(2)) {
    ASSIGN_OR_RETURN(arguments.emplace_back(),
                     context.SrcArgument(DNNL_ARG_BIAS, 2, desc.bias_desc()));
  }
  arguments.push_back({DNNL_ARG_DST, desc.dst_desc(), Argument::kDst, nullptr});
  return Prepared(context, desc, dnnl::deconvolution_forward(desc), std::move(arguments));
}

}  // namespace lazynet::backend
