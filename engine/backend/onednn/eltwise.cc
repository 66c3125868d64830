#include <string>

#include "engine/backend/onednn/own/elementwise.h"
#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

absl::StatusOr<PreparedOp> PrepareOwn(const OpContext& context, Eltwise::Algorithm algorithm,
                                      float alpha, float beta) {
  if (context.is_constant(0)) return context.Fallback();
  dnnl::memory::desc src = context.src_desc(0);
  // The loop runs over the padding too, which must stay zero.
  if (HasPadding(src) && own::ElementwiseOfZero(algorithm, alpha, beta) != 0) {
    src = DenseDesc(src.dims());
  }
  const own::Isa isa = own::DetectIsa();
  PreparedOp prepared;
  prepared.src_layouts.resize(static_cast<size_t>(context.inputs()));
  prepared.src_layouts[0] = prepared.dst_layout = MakeLayout(src);
  prepared.in_place = true;
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel = MakeOwnKernel([run = own::SelectElementwise(algorithm, isa),
                                   size = src.get_size() / sizeof(float), alpha,
                                   beta](const float* src_data, float* dst_data, float*) {
    run(src_data, dst_data, size, alpha, beta);
  });
  return prepared;
}

absl::StatusOr<PreparedOp> PrepareDnnl(const OpContext& context, dnnl::algorithm algorithm,
                                       float alpha) {
  const dnnl::memory::desc src = context.src_desc(0);
  const dnnl::eltwise_forward::primitive_desc desc(
      {dnnl::prop_kind::forward_inference, algorithm, src, alpha, 0.0f}, UserScratchpad(),
      CpuEngine());
  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, 0, src));
  arguments.push_back({DNNL_ARG_DST, src, Argument::kDst, nullptr});
  PreparedOp prepared = Prepared(context, desc, dnnl::eltwise_forward(desc), std::move(arguments));
  prepared.in_place = !context.is_constant(0);
  return prepared;
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Eltwise& op) {
  using Algorithm = Eltwise::Algorithm;
  const auto alpha = static_cast<float>(op.alpha);
  switch (op.algorithm) {
    case Algorithm::kRelu:
    case Algorithm::kClamp:
    case Algorithm::kLeakyRelu:
    case Algorithm::kHardswish:
    case Algorithm::kHardsigmoid:
    case Algorithm::kLinear:
    case Algorithm::kSoftsign:
    case Algorithm::kHardshrink:
    case Algorithm::kSoftshrink:
    case Algorithm::kThreshold:
    case Algorithm::kAbs:
    case Algorithm::kNegate:
    case Algorithm::kSign:
    case Algorithm::kExp:
    case Algorithm::kSqrt:
    case Algorithm::kRsqrt:
    case Algorithm::kReciprocal:
    case Algorithm::kFloor:
    case Algorithm::kCeil:
    case Algorithm::kRound:
    case Algorithm::kTrunc:
      return PrepareOwn(context, op.algorithm, alpha, static_cast<float>(op.beta));
    case Algorithm::kElu:
      return PrepareDnnl(context, dnnl::algorithm::eltwise_elu, alpha);
    case Algorithm::kGeluErf:
      return PrepareDnnl(context, dnnl::algorithm::eltwise_gelu_erf, 0);
    case Algorithm::kGeluTanh:
      return PrepareDnnl(context, dnnl::algorithm::eltwise_gelu_tanh, 0);
    case Algorithm::kSilu:
      return PrepareDnnl(context, dnnl::algorithm::eltwise_swish, 1);
    case Algorithm::kMish:
      return PrepareDnnl(context, dnnl::algorithm::eltwise_mish, 0);
    case Algorithm::kSigmoid:
      return PrepareDnnl(context, dnnl::algorithm::eltwise_logistic, 0);
    case Algorithm::kTanh:
      return PrepareDnnl(context, dnnl::algorithm::eltwise_tanh, 0);
    case Algorithm::kSoftplus:
      // From about 17 on, log1p(exp(x)) and x are the same float.
      if (op.alpha != 1 || op.beta < 17) return context.Fallback();
      return PrepareDnnl(context, dnnl::algorithm::eltwise_soft_relu, 0);
    case Algorithm::kLogSigmoid:
      return PrepareDnnl(context, dnnl::algorithm::eltwise_logsigmoid, 0);
    default:
      // Functions that are rarely hot, or that oneDNN lacks or computes with too great an error.
      return context.Fallback();
  }
}

absl::StatusOr<PreparedOp> PrepareLeakyRelu(const OpContext& context, double slope) {
  return PrepareOwn(context, Eltwise::Algorithm::kLeakyRelu, static_cast<float>(slope), 0);
}

}  // namespace lazynet::backend
