#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/product.h"

namespace lazynet::backend::reference {

template <typename T>
Computation<T> MakeComputation(const InnerProduct&, const OpShapes& shapes) {
  const ProductShape product =
      DenseProduct(shapes.srcs[0].dim(0), shapes.srcs[1].dim(0), shapes.srcs[0].dim(1), true);
  const auto run = [product](const Operands<T>& operands) {
    Multiply(product, operands.src(0), operands.src(1), operands.src(2), 1, operands.scratch(),
             operands.dst());
  };
  return {.run = run, .scratch = static_cast<size_t>(MultiplyScratch<T>(product))};
}

LAZYNET_REFERENCE_COMPUTATION(InnerProduct);

}  // namespace lazynet::backend::reference
