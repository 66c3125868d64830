#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "engine/backend/onednn/prepare.h"
#include "engine/backend/threads.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;

// Whether slices of these layouts, blocks and all, stand side by side in the layout of the whole.
bool Joins(const std::vector<memory::desc>& srcs, int axis) {
  return std::all_of(srcs.begin(), srcs.end(), [axis](const memory::desc& src) {
    return src.data.dims[axis] == src.data.padded_dims[axis];
  });
}

// A run of neighbouring elements of each source after the other, again and again. oneDNN's own
// takes 55 ns for a run of 128 bytes, as channels-last has them, where a copy takes a few.
class ConcatKernel final : public Kernel {
 public:
  struct Source {
    Argument argument;
    int64_t run_bytes = 0;
  };

  ConcatKernel(std::vector<Source> sources, int64_t outer, int threads)
      : sources_(std::move(sources)), outer_(outer), threads_(threads) {
    for (const Source& source : sources_) pitch_ += source.run_bytes;
  }

  absl::Status Run(const Buffers& buffers) const override {
    ForEachPart(threads_, outer_, 1, [&](int64_t begin, int64_t end, int) {
      // Source by source, so that each is read in one go; rows of dst that fit the cache.
      for (int64_t first = begin; first < end; first += rows()) {
        CopyRows(buffers, first, std::min(end, first + rows()));
      }
    });
    return absl::OkStatus();
  }

 private:
  int64_t rows() const { return std::max<int64_t>(1, kCacheBytes / pitch_); }

  void CopyRows(const Buffers& buffers, int64_t begin, int64_t end) const {
    int64_t offset = 0;
    for (const Source& source : sources_) {
      const int64_t run = source.run_bytes;
      const std::byte* src = Data(buffers, source.argument) + begin * run;
      std::byte* dst = buffers.dst + begin * pitch_ + offset;
      for (int64_t row = begin; row < end; ++row, src += run, dst += pitch_) {
        std::memcpy(dst, src, static_cast<size_t>(run));
      }
      offset += run;
    }
  }

  static const std::byte* Data(const Buffers& buffers, const Argument& argument) {
    return argument.from == Argument::kConstant ? argument.constant->data()
                                                : buffers.srcs[static_cast<size_t>(argument.from)];
  }

  static constexpr int64_t kCacheBytes = 128 << 10;

  const std::vector<Source> sources_;
  const int64_t outer_;
  const int threads_;
  int64_t pitch_ = 0;
};

// How many runs of the axis and all inside it there are.
int64_t RunsOf(const memory::desc& desc, int axis) {
  const memory::dims dims = desc.dims();
  const bool dense = IsDense(desc);
  const std::optional<ChannelBlocks> blocks = ChannelBlocksOf(desc);
  LAZYNET_CHECK(dense || blocks);
  const Shape shape =
      dense ? Shape(Shape::Dims(dims.begin(), dims.end())) : MemoryShape(*blocks, dims);
  const int at = dense ? axis : static_cast<int>(MemoryAxis(desc, *blocks, axis));
  int64_t runs = 1;
  for (int i = 0; i < at; ++i) runs *= shape.dim(i);
  return runs;
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
  if (!Joins(srcs, op.axis) || (!IsDense(dst) && !ChannelBlocksOf(dst))) {
    dst = DenseDesc(dst_dims, context.type());
    lay_srcs();
  }
  PreparedOp prepared;
  const auto element = static_cast<int64_t>(SizeOf(context.dtype()));
  const int64_t runs = RunsOf(dst, op.axis);
  std::vector<ConcatKernel::Source> sources;
  for (size_t i = 0; i < inputs; ++i) {
    auto& source = sources.emplace_back();
    ASSIGN_OR_RETURN(source.argument,
                     context.SrcArgument(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i),
                                         static_cast<int>(i), srcs[i]));
    source.run_bytes = static_cast<int64_t>(ElementCount(srcs[i])) / runs * element;
    prepared.src_layouts.push_back(MakeLayout(srcs[i]));
  }
  prepared.dst_layout = MakeLayout(dst);
  prepared.implementation = "own:copy";
  prepared.kernel = std::make_unique<ConcatKernel>(std::move(sources), runs, KernelThreads());
  return prepared;
}

}  // namespace lazynet::backend
