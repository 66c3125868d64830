#include "engine/backend/onednn/own/reduction.h"

#include <algorithm>
#include <optional>

#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

struct Axis {
  int64_t size;
  int64_t stride;
  bool reduced;
};

// The memory as [outer, size, inner], of which `size` is what the axes reduce. Nothing where they
// are no neighbours, or where what is left would be in another order than dense.
std::optional<own::ReductionShape> ShapeOf(const dnnl::memory::desc& src, const AxisVector& axes) {
  const dnnl_blocking_desc_t& blocking = src.data.format_desc.blocking;
  if (blocking.inner_nblks != 0 || HasPadding(src)) return std::nullopt;
  std::vector<Axis> kept;
  std::vector<Axis> all;
  for (int at = 0; at < src.data.ndims; ++at) {
    if (src.data.dims[at] == 1) continue;
    const bool reduced = std::find(axes.begin(), axes.end(), at) != axes.end();
    all.push_back({src.data.dims[at], blocking.strides[at], reduced});
    if (!reduced) kept.push_back(all.back());
  }
  const auto is_outer = [](const Axis& a, const Axis& b) { return a.stride > b.stride; };
  if (!std::is_sorted(kept.begin(), kept.end(), is_outer)) return std::nullopt;
  std::sort(all.begin(), all.end(), is_outer);
  own::ReductionShape shape;
  int64_t* part = &shape.outer;
  for (const Axis& axis : all) {
    if (axis.reduced && part == &shape.inner) return std::nullopt;
    if (axis.reduced) part = &shape.size;
    if (!axis.reduced && part == &shape.size) part = &shape.inner;
    *part *= axis.size;
  }
  return shape;
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Reduction& op) {
  const own::Isa isa = own::DetectIsa();
  if (own::SelectReduction<float>(op, isa) == nullptr || context.is_constant(0))
    return context.Fallback();
  dnnl::memory::desc src = context.src_desc(0);
  std::optional<own::ReductionShape> shape = ShapeOf(src, op.axes);
  if (!shape) {
    src = DenseDesc(src.dims(), context.type());
    shape = ShapeOf(src, op.axes);
  }
  if (!shape) return context.Fallback();
  PreparedOp prepared;
  prepared.src_layouts = {MakeLayout(src)};
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel = MakeOwnKernelOf(context.dtype(), [&]<typename T>(T) {
    return [run = own::SelectReduction<T>(op, isa), shape = *shape](
               const T* src_data, T* dst_data, float*) { run(shape, src_data, dst_data); };
  });
  return prepared;
}

}  // namespace lazynet::backend
