#include "engine/backend/onednn/own/inner_product.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "engine/backend/onednn/pack_product.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/threads.h"

namespace lazynet::backend {
namespace {

constexpr int kSrc = 0;
constexpr int kWeights = 1;
constexpr int kBias = 2;

class OwnInnerProduct final : public Kernel {
 public:
  OwnInnerProduct(own::InnerProductFunction run, own::InnerProduct operands, Argument packed,
                  int64_t rows)
      : run_(run), operands_(operands), packed_(std::move(packed)), rows_(rows) {
    operands_.packed = reinterpret_cast<const float*>(packed_.constant->data());
  }

  absl::Status Run(const Buffers& buffers) const override {
    const auto* const src = reinterpret_cast<const float*>(buffers.srcs[kSrc]);
    auto* const dst = reinterpret_cast<float*>(buffers.dst);
    const own::PackedProduct& product = operands_.product;
    const int64_t part_rows =
        std::max<int64_t>(1, kPartProducts / (product.inputs * product.units));
    ForEachPart(threads_, rows_, part_rows, [&](int64_t begin, int64_t end, int) {
      run_(operands_, end - begin, src + begin * product.inputs, dst + begin * product.units);
    });
    return absl::OkStatus();
  }

 private:
  // That are worth a thread.
  static constexpr int64_t kPartProducts = int64_t{1} << 18;

  own::InnerProductFunction run_;
  own::InnerProduct operands_;
  Argument packed_;
  int64_t rows_;
  int threads_ = KernelThreads();
};

// Whether the weights are so few that what a call of oneDNN takes counts, and are no long rows that
// one vector would go through; whatever the number of items, as each is to have the same bits in
// every batch.
bool IsSmall(const dnnl::memory::dims& weights) {
  constexpr int64_t kMostWeights = int64_t{1} << 15;
  constexpr int64_t kLongestRow = 128;  // of a unit
  return weights[0] * weights[1] <= kMostWeights && weights[1] <= kLongestRow * weights[0];
}

bool HasOwn(const OpContext& context) {
  const std::vector<Op>& fused = context.op().fused;
  return context.dtype() == DType::kFp32 && context.dst().dtype == DType::kFp32 &&
         !context.is_constant(kSrc) && IsSmall(context.src_dims(kWeights)) &&
         (fused.empty() || std::holds_alternative<Eltwise>(fused.front().kind));
}

absl::StatusOr<PreparedOp> PrepareOwn(const OpContext& context) {
  const own::Isa isa = own::DetectIsa();
  const auto weights = context.src_dims(kWeights);
  own::InnerProduct operands{.product{isa, 1, weights[0], weights[1]}};
  operands.low = -std::numeric_limits<float>::infinity();
  operands.high = std::numeric_limits<float>::infinity();
  for (const Op& next : context.op().fused) {
    const auto& activation = std::get<Eltwise>(next.kind);
    const bool clamps = activation.algorithm == Eltwise::Algorithm::kClamp;
    operands.low = clamps ? static_cast<float>(activation.alpha) : 0;
    if (clamps) operands.high = static_cast<float>(activation.beta);
  }
  ASSIGN_OR_RETURN(Argument packed,
                   PackProduct(context, operands.product, kWeights, std::array{kBias}, "product",
                               [](int, int64_t) { return true; }));
  PreparedOp prepared;
  prepared.src_layouts.resize(static_cast<size_t>(context.operands()));
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel = std::make_unique<OwnInnerProduct>(own::SelectInnerProduct(isa), operands,
                                                      std::move(packed), context.src_dims(kSrc)[0]);
  return prepared;
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const InnerProduct&) {
  if (!context.ConstantsFrom(kWeights)) return context.Fallback();
  if (HasOwn(context)) return PrepareOwn(context);
  const auto weights_dims = context.src_dims(kWeights);
  const auto src = DenseDesc(context.src_dims(kSrc), context.type());
  const auto dst = DenseDesc(context.dst_dims(), context.dst_type());
  const auto bias = context.has(kBias) ? DenseDesc({weights_dims[0]}) : dnnl::memory::desc();
  const dnnl::primitive_attr attributes = AttributesOf(context);
  const auto describe = [&](const dnnl::memory::desc& weights) {
    return dnnl::inner_product_forward::primitive_desc(
        {dnnl::prop_kind::forward_inference, src, weights, bias, dst}, attributes, CpuEngine());
  };
  auto desc = describe(AnyDesc(weights_dims, context.type()));
  if (IsSlowBf16(context, desc.impl_info_str())) return context.Fallback();
  // Without AVX512 the library wants either plain layout, by the batch size; one serves all.
  if (IsGemm(desc.impl_info_str())) {
    desc = describe(AxisLastDesc(weights_dims, 0, context.type()));
  }

  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_SRC, kSrc, src));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   context.SrcArgument(DNNL_ARG_WEIGHTS, kWeights, desc.weights_desc()));
  if (context.has(kBias)) {
    ASSIGN_OR_RETURN(arguments.emplace_back(), context.SrcArgument(DNNL_ARG_BIAS, kBias, bias));
  }
  arguments.push_back({DNNL_ARG_DST, dst, Argument::kDst, nullptr});
  PreparedOp prepared =
      Prepared(context, desc, dnnl::inner_product_forward(desc), std::move(arguments));
  SetPostOperands(context, prepared);
  return prepared;
}

}  // namespace lazynet::backend
