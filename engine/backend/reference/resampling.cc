#include <algorithm>
#include <utility>
#include <vector>

#include "engine/backend/reference/computation.h"
#include "engine/backend/resampling_taps.h"

namespace lazynet::backend::reference {
namespace {

// One axis: src [outer, size, inner] -> dst [outer, dst_size, inner].
struct Pass {
  ResamplingTaps taps;
  AroundAxis src_around;
  int64_t dst_size;

  template <typename Src, typename Dst>
  void Run(const Src* src, Dst* dst) const {
    const auto [outer, size, inner] = src_around;
    for (int64_t o = 0; o < outer; ++o, src += size * inner) {
      for (size_t i = 0; i < static_cast<size_t>(dst_size); ++i) {
        for (int64_t j = 0; j < inner; ++j) *dst++ = static_cast<Dst>(Sum(i, src + j));
      }
    }
  }

  template <typename Src>
  double Sum(size_t i, const Src* src) const {
    // The first product begins the sum, so that -0 stays -0.
    const auto product = [&](size_t tap) {
      return taps.taps[tap].weight *
             static_cast<double>(src[taps.taps[tap].index * src_around.inner]);
    };
    double sum = product(taps.begins[i]);
    for (size_t tap = taps.begins[i] + 1; tap < taps.begins[i + 1]; ++tap) sum += product(tap);
    return sum;
  }
};

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Resampling& op, const OpShapes& shapes) {
  Shape shape = shapes.srcs[0];
  const int rank = shape.rank();
  std::vector<int> axes;
  for (int axis = rank; axis-- > 2;) axes.push_back(axis);
  // The axis that shrinks most comes first: what lies between is never larger than src or dst.
  std::stable_sort(axes.begin(), axes.end(), [&](int a, int b) {
    return shapes.dst.dim(a) * shapes.srcs[0].dim(b) < shapes.dst.dim(b) * shapes.srcs[0].dim(a);
  });
  std::vector<Pass> passes;
  size_t largest = 0;  // of what lies between two passes
  for (const int axis : axes) {
    const int64_t dst_size = shapes.dst.dim(axis);
    passes.push_back({MakeResamplingTaps(op, static_cast<size_t>(axis - 2), shapes.srcs[0],
                                         shapes.dst, DTypeOf<T>()),
                      AroundAxis(shape, axis), dst_size});
    shape.set_dim(axis, dst_size);
    if (axis != axes.back()) largest = std::max(largest, static_cast<size_t>(shape.num_elements()));
  }
  const size_t scratch = passes.size() > 2 ? 2 * largest : largest;
  const auto run = [passes = std::move(passes), largest](const Operands<T>& operands) {
    double* const first = operands.scratch();
    double* const second = first + largest;
    if (passes.size() == 1) {
      passes[0].Run(operands.src(0), operands.dst());
    } else if (passes.size() == 2) {
      passes[0].Run(operands.src(0), first);
      passes[1].Run(first, operands.dst());
    } else {
      passes[0].Run(operands.src(0), first);
      passes[1].Run(first, second);
      passes[2].Run(second, operands.dst());
    }
  };
  return {.run = run, .scratch = scratch};
}

LAZYNET_REFERENCE_COMPUTATION(Resampling);

}  // namespace lazynet::backend::reference
