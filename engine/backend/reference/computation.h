#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "engine/backend/backend.h"

// What the files of this folder share: each defines MakeComputation for one op, which does what can
// be done once the shapes are known, and returns the loop.
namespace lazynet::backend::reference {

// The shapes of an op's inputs and output. Absent inputs have an entry too, of no meaning.
struct OpShapes {
  std::vector<Shape> srcs;
  Shape dst;
};

// The dense elements of one run, of which some were known before.
template <typename T>
class Operands {
 public:
  // `constants` has one entry per input, a default Tensor where the input is no constant. Both
  // arguments must outlive this.
  Operands(std::span<const Tensor> constants, const Kernel::Buffers& buffers)
      : constants_(constants), buffers_(buffers) {}

  // The elements of input i, null when it is absent.
  const T* src(size_t i) const {
    const std::byte* constant = constants_[i].data();
    return reinterpret_cast<const T*>(constant != nullptr ? constant : buffers_.srcs[i]);
  }
  T* dst() const { return reinterpret_cast<T*>(buffers_.dst); }

  // Room for as many sums as the computation asked for.
  double* sums() const { return reinterpret_cast<double*>(buffers_.scratch); }

 private:
  std::span<const Tensor> constants_;
  const Kernel::Buffers& buffers_;
};

template <typename T>
struct Computation {
  std::function<void(const Operands<T>&)> run;  // const in effect: any number of threads at once
  size_t sums = 0;                              // how many doubles Operands::sums() points to
  bool in_place = false;                        // dst may be the memory of input 0
};

// T is float or double. Attributes and shapes are trusted to be what op.h says.
template <typename T>
Computation<T> MakeComputation(const InnerProduct& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Convolution& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Deconvolution& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Pooling& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const AdaptiveAveragePooling& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Normalization& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Softmax& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Eltwise& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Prelu& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Binary& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Concat& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Pad& op, const OpShapes& shapes);

// The product of the dims of axes [begin, end).
inline int64_t Product(const Shape& shape, int begin, int end) {
  int64_t product = 1;
  for (int axis = begin; axis < end; ++axis) product *= shape.dim(axis);
  return product;
}

}  // namespace lazynet::backend::reference

// Closes each file: its computation, compiled for both dtypes.
#define LAZYNET_REFERENCE_COMPUTATION(Op)                                         \
  template Computation<float> MakeComputation<float>(const Op&, const OpShapes&); \
  template Computation<double> MakeComputation<double>(const Op&, const OpShapes&)
