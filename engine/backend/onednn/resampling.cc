#include "engine/backend/onednn/own/resampling.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "engine/backend/onednn/own_kernel.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/resampling_taps.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;
using own::SeparableResampling;
using own::WeightedSums;

// An axis of size 1 that stays.
ResamplingTaps UnitTaps() { return {.begins = {0, 1}, .taps = {{0, 1}}}; }

// How many taps each element has where all have equally many, or else 0.
size_t TapsOfEach(const ResamplingTaps& taps) {
  const size_t each = taps.begins[1];
  for (size_t i = 0; i < taps.begins.size(); ++i) {
    if (taps.begins[i] != i * each) return 0;
  }
  return each;
}

// The sums over two axes at once; an index of `outer` is `stride` of the inner one.
WeightedSums SumsOver(const ResamplingTaps& outer, const ResamplingTaps& inner, int64_t stride) {
  WeightedSums sums{.items = (outer.begins.size() - 1) * (inner.begins.size() - 1),
                    .taps = TapsOfEach(outer) * TapsOfEach(inner)};
  const size_t taps = outer.taps.size() * inner.taps.size();
  sums.offsets.reserve(taps);
  sums.weights.reserve(taps);
  if (sums.taps == 0) sums.begins.reserve(sums.items + 1);
  for (size_t i = 0; i + 1 < outer.begins.size(); ++i) {
    for (size_t j = 0; j + 1 < inner.begins.size(); ++j) {
      if (sums.taps == 0) sums.begins.push_back(sums.weights.size());
      for (size_t a = outer.begins[i]; a < outer.begins[i + 1]; ++a) {
        for (size_t b = inner.begins[j]; b < inner.begins[j + 1]; ++b) {
          sums.offsets.push_back(
              static_cast<int32_t>(outer.taps[a].index * stride + inner.taps[b].index));
          sums.weights.push_back(static_cast<float>(outer.taps[a].weight * inner.taps[b].weight));
        }
      }
    }
  }
  if (sums.taps == 0) sums.begins.push_back(sums.weights.size());
  sums.copies = sums.taps == 1 && std::all_of(sums.weights.begin(), sums.weights.end(),
                                              [](float weight) { return weight == 1; });
  if (sums.copies) sums.weights = std::vector<float>();
  return sums;
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Resampling& op) {
  if (context.is_constant(0) || context.dtype() == DType::kBf16) return context.Fallback();
  const memory::dims src_dims = context.src_dims(0);
  const memory::dims dst_dims = context.dst_dims();
  const size_t spatial_axes = src_dims.size() - 2;
  std::vector<ResamplingTaps> taps(3, UnitTaps());
  std::vector<int64_t> src_sizes(3, 1);
  for (size_t axis = 0; axis < spatial_axes; ++axis) {
    const size_t at = taps.size() - spatial_axes + axis;
    src_sizes[at] = src_dims[axis + 2];
    taps[at] =
        MakeResamplingTaps(op, axis, context.src(0).shape, context.dst().shape, DType::kFp32);
  }
  const int64_t src_rows = src_sizes[0] * src_sizes[1];
  if (src_rows > std::numeric_limits<int32_t>::max()) return context.Fallback();
  memory::desc src = context.src_desc(0);
  std::optional<ChannelBlocks> blocks = ChannelBlocksOf(src);
  if (!blocks) {
    src = AxisLastDesc(src.dims(), 1);
    blocks = ChannelBlocksOf(src);
  }
  SeparableResampling resampling{.outer = blocks->images * blocks->channel_blocks,
                                 .inner = blocks->block,
                                 .src_rows = src_rows,
                                 .src_width = src_sizes[2],
                                 .rows = SumsOver(taps[0], taps[1], src_sizes[1]),
                                 .columns = SumsOver(UnitTaps(), taps[2], 0)};
  const own::Isa isa = own::DetectIsa();
  PreparedOp prepared;
  prepared.src_layouts = {MakeLayout(src)};
  prepared.dst_layout = MakeLayout(WithSpatialSizes(src, *blocks, dst_dims));
  prepared.scratch_bytes = own::ScratchBytes(resampling);
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel =
      MakeOwnKernel([run = own::SelectResampling(isa), resampling = std::move(resampling)](
                        const float* src_data, float* dst_data, float* scratch) {
        run(resampling, src_data, dst_data, scratch);
      });
  return prepared;
}

}  // namespace lazynet::backend
