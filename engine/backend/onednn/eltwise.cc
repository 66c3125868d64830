#include <string>

#include "engine/backend/onednn/own/elementwise.h"
#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/threads.h"

namespace lazynet::backend {
namespace {

// Threads share no line of the cache.
constexpr int64_t kPartElements = 64;

absl::StatusOr<PreparedOp> PrepareOwn(const OpContext& context, Eltwise::Algorithm algorithm,
                                      float alpha, float beta) {
  if (context.is_constant(0)) return context.Fallback();
  dnnl::memory::desc src = context.src_desc(0);
  // The loop runs over the padding too, which must stay zero.
  if (HasPadding(src) && own::ElementwiseOfZero(algorithm, alpha, beta) != 0) {
    src = DenseDesc(src.dims(), context.type());
  }
  const own::Isa isa = own::DetectIsa();
  PreparedOp prepared;
  prepared.src_layouts.resize(static_cast<size_t>(context.inputs()));
  prepared.src_layouts[0] = prepared.dst_layout = MakeLayout(src);
  prepared.in_place = true;
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel = MakeOwnKernelOf(context.dtype(), [&]<typename T>(T) {
    return [run = own::SelectElementwise<T>(algorithm, isa),
            size = static_cast<int64_t>(ElementCount(src)), alpha, beta,
            threads = KernelThreads()](const T* src_data, T* dst_data, float*) {
      ForEachPart(threads, size, kPartElements, [&](int64_t begin, int64_t end, int) {
        run(src_data + begin, dst_data + begin, static_cast<size_t>(end - begin), alpha, beta);
      });
    };
  });
  return prepared;
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Eltwise& op) {
  // Others are rarely hot.
  if (own::SelectElementwise<float>(op.algorithm, own::Isa::kSse2) == nullptr)
    return context.Fallback();
  return PrepareOwn(context, op.algorithm, static_cast<float>(op.alpha),
                    static_cast<float>(op.beta));
}

absl::StatusOr<PreparedOp> PrepareLeakyRelu(const OpContext& context, double slope) {
  return PrepareOwn(context, Eltwise::Algorithm::kLeakyRelu, static_cast<float>(slope), 0);
}

}  // namespace lazynet::backend
