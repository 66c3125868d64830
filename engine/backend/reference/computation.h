#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"

// What the files of this folder share: each defines MakeComputation for one op, or MakeRun where
// the dtypes may be others than FP32 and FP64. They do what can be done once the shapes are known,
// and return the loop.
namespace lazynet::backend::reference {

// The shapes of an op's inputs and output. Absent inputs have an entry too, of no meaning.
struct OpShapes {
  std::vector<Shape> srcs;
  Shape dst;
};

// The dense elements of one run, of which some were known before.
class AnyOperands {
 public:
  // `constants` has one entry per input, a default Tensor where the input is no constant. Both
  // arguments must outlive this.
  AnyOperands(std::span<const Tensor> constants, const Kernel::Buffers& buffers)
      : constants_(constants), buffers_(buffers) {}

  // The elements of input i, null when it is absent or beyond the op's list. T must be of the size
  // of its dtype.
  template <typename T>
  const T* src(size_t i) const {
    if (i >= constants_.size()) return nullptr;
    const std::byte* constant = constants_[i].data();
    return reinterpret_cast<const T*>(constant != nullptr ? constant : buffers_.srcs[i]);
  }
  template <typename T>
  T* dst() const {
    return reinterpret_cast<T*>(buffers_.dst);
  }

  // Room for as many numbers as the computation asked for.
  double* scratch() const { return reinterpret_cast<double*>(buffers_.scratch); }

 private:
  std::span<const Tensor> constants_;
  const Kernel::Buffers& buffers_;
};

// The same where all elements are of one type.
template <typename T>
class Operands {
 public:
  explicit Operands(const AnyOperands& operands) : operands_(operands) {}

  const T* src(size_t i) const { return operands_.src<T>(i); }
  T* dst() const { return operands_.dst<T>(); }
  double* scratch() const { return operands_.scratch(); }

 private:
  const AnyOperands& operands_;
};

// Runs are const in effect: any number of threads at once.
template <typename T>
struct Computation {
  std::function<void(const Operands<T>&)> run;
  size_t scratch = 0;     // how many doubles Operands::scratch() points to
  bool in_place = false;  // dst may be the memory of input 0
};

// Of an op that takes other dtypes than FP32 and FP64, or several at once, and that may find fault
// with the elements.
struct AnyRun {
  template <typename Function>
  requires std::is_invocable_r_v<absl::Status, const Function&, const AnyOperands&> AnyRun(
      Function function)
      : run(std::move(function)) {}  // NOLINT: a loop is a run

  std::function<absl::Status(const AnyOperands&)> run;
  size_t scratch = 0;     // how many doubles AnyOperands::scratch() points to
  bool in_place = false;  // dst may be the memory of input 0
};

// T is float or double. Attributes and shapes are trusted to be what op.h says.
template <typename T>
Computation<T> MakeComputation(const InnerProduct& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const MatMul& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Convolution& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Deconvolution& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Pooling& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const AdaptiveAveragePooling& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const AdaptiveMaxPooling& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Resampling& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Unfold& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Fold& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const LocalResponseNormalization& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Normalization& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const LayerNormalization& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Softmax& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Eltwise& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Prelu& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Binary& op, const OpShapes& shapes);
template <typename T>
Computation<T> MakeComputation(const Recurrent& op, const OpShapes& shapes);

// UNIMPLEMENTED for dtypes that op.h does not name. An op that has both is made by MakeComputation
// where all values are FP32 or all FP64.
absl::StatusOr<AnyRun> MakeRun(const Permute& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Slice& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Expand& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Pad& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Concat& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Triangle& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const IndexSelect& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const GatherAlong& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Cast& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Gather& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const MatMul& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Eltwise& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Binary& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Where& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Reduction& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const ArgReduction& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const TopK& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const Cumsum& kind, const Graph& graph, const Op& op);
absl::StatusOr<AnyRun> MakeRun(const EmbeddingBag& kind, const Graph& graph, const Op& op);

// The product of the dims of axes [begin, end).
inline int64_t Product(const Shape& shape, int begin, int end) {
  int64_t product = 1;
  for (int axis = begin; axis < end; ++axis) product *= shape.dim(axis);
  return product;
}

// A shape as seen from one of its axes: [outer, size, inner].
struct AroundAxis {
  AroundAxis(const Shape& shape, int axis)
      : outer(Product(shape, 0, axis)),
        size(shape.dim(axis)),
        inner(Product(shape, axis + 1, shape.rank())) {}

  int64_t outer;
  int64_t size;
  int64_t inner;
};

}  // namespace lazynet::backend::reference

// Closes a file: its computation, compiled for both dtypes.
#define LAZYNET_REFERENCE_COMPUTATION(Op)                                         \
  template Computation<float> MakeComputation<float>(const Op&, const OpShapes&); \
  template Computation<double> MakeComputation<double>(const Op&, const OpShapes&)
