#include <algorithm>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {

template <typename T>
Computation<T> MakeComputation(const Concat& op, const OpShapes& shapes) {
  const int64_t outer = Product(shapes.dst, 0, op.axis);
  std::vector<int64_t> piece_sizes;  // per input, the elements that lie together in dst
  for (const Shape& src : shapes.srcs) piece_sizes.push_back(Product(src, op.axis, src.rank()));
  const auto run = [=](const Operands<T>& operands) {
    T* dst = operands.dst();
    for (int64_t i = 0; i < outer; ++i) {
      for (size_t input = 0; input < piece_sizes.size(); ++input) {
        const int64_t size = piece_sizes[input];
        dst = std::copy_n(operands.src(input) + i * size, size, dst);
      }
    }
  };
  return {.run = run};
}

LAZYNET_REFERENCE_COMPUTATION(Concat);

}  // namespace lazynet::backend::reference
