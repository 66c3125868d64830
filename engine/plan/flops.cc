#include "engine/plan/flops.h"

#include <algorithm>
#include <variant>

namespace lazynet::plan {
namespace {

double Elements(const Shape& shape) { return static_cast<double>(shape.num_elements()); }

class Counter {
 public:
  Counter(const backend::Graph& graph, const backend::Op& op) : graph_(graph), op_(op) {}

  double operator()(const backend::InnerProduct&) const {
    return 2 * Elements(dst()) * static_cast<double>(src().dim(-1));
  }
  double operator()(const backend::MatMul&) const {
    return 2 * Elements(dst()) * static_cast<double>(src().dim(-1));
  }
  // The products of every step.
  double operator()(const backend::Recurrent&) const {
    const double items = static_cast<double>(src().dim(0)) * static_cast<double>(src().dim(1));
    const bool projected = op_.inputs[5] != backend::kNoValue;
    return 2 * items * (Elements(src(1)) + Elements(src(2)) + (projected ? Elements(src(5)) : 0));
  }
  double operator()(const backend::LayerNormalization& op) const {
    return (op.rms ? 4 : 5) * Elements(dst());
  }
  // Weights are [O, C / groups, kernel...] and, for deconvolutions, [C, O / groups, kernel...].
  double operator()(const backend::Convolution&) const {
    return 2 * Elements(dst()) * WeightsOfOne();
  }
  double operator()(const backend::Deconvolution&) const {
    return 2 * Elements(src()) * WeightsOfOne();
  }
  double operator()(const backend::Pooling& pooling) const {
    double window = 1;
    for (const int64_t size : pooling.kernel) window *= static_cast<double>(size);
    return Elements(dst()) * window;
  }
  double operator()(const backend::AdaptiveAveragePooling&) const { return ElementsOfAllBins(); }
  double operator()(const backend::AdaptiveMaxPooling&) const { return ElementsOfAllBins(); }
  // A product and a sum for each tap, axis by axis from the last one on.
  double operator()(const backend::Resampling& resampling) const {
    double count = 0;
    double elements = Elements(src());
    for (int axis = dst().rank(); axis-- > 2;) {
      const double scale = resampling.scales[static_cast<size_t>(axis - 2)];
      elements *= static_cast<double>(dst().dim(axis)) / static_cast<double>(src().dim(axis));
      count += 2 * elements * TapsOf(resampling.mode, scale);
    }
    return count;
  }
  double operator()(const backend::Unfold&) const { return 0; }
  double operator()(const backend::Fold&) const { return Elements(src()); }
  // The squares, their running sum, the power and the quotient.
  double operator()(const backend::LocalResponseNormalization&) const {
    return 5 * Elements(dst());
  }
  double operator()(const backend::Normalization& normalization) const {
    const bool given = normalization.statistics == backend::Normalization::Statistics::kGiven;
    return (given ? 2 : 5) * Elements(dst());
  }
  double operator()(const backend::Softmax&) const { return 3 * Elements(dst()); }
  double operator()(const backend::Eltwise&) const { return Elements(dst()); }
  double operator()(const backend::Prelu&) const { return Elements(dst()); }
  double operator()(const backend::Binary&) const { return Elements(dst()); }
  double operator()(const backend::Concat&) const { return 0; }
  double operator()(const backend::Pad&) const { return 0; }
  double operator()(const backend::Permute&) const { return 0; }
  double operator()(const backend::Slice&) const { return 0; }
  double operator()(const backend::Expand&) const { return 0; }
  double operator()(const backend::Triangle&) const { return 0; }
  double operator()(const backend::Reshape&) const { return 0; }
  double operator()(const backend::Cast&) const { return 0; }
  double operator()(const backend::Gather&) const { return 0; }
  double operator()(const backend::Where&) const { return Elements(dst()); }
  double operator()(const backend::Reduction&) const { return Elements(src()); }
  double operator()(const backend::ArgReduction&) const { return Elements(src()); }
  double operator()(const backend::TopK&) const { return Elements(src()); }
  double operator()(const backend::Cumsum&) const { return Elements(src()); }
  double operator()(const backend::IndexSelect&) const { return 0; }
  double operator()(const backend::GatherAlong&) const { return 0; }
  double operator()(const backend::EmbeddingBag&) const {
    return Elements(src()) * static_cast<double>(graph_.value(op_.output).shape.dim(-1));
  }

 private:
  const Shape& src(size_t index = 0) const { return graph_.value(op_.inputs[index]).shape; }
  const Shape& dst() const { return graph_.value(op_.output).shape; }

  // The weights that one element of the outermost axis has.
  double WeightsOfOne() const {
    const Shape& weights = src(1);
    double count = 1;
    for (int axis = 1; axis < weights.rank(); ++axis) {
      count *= static_cast<double>(weights.dim(axis));
    }
    return count;
  }

  // Of all bins of all axes, for each channel.
  double ElementsOfAllBins() const {
    double count = static_cast<double>(dst().dim(0)) * static_cast<double>(dst().dim(1));
    for (int axis = 2; axis < dst().rank(); ++axis) {
      count *= BinElements(src().dim(axis), dst().dim(axis));
    }
    return count;
  }

  static double TapsOf(backend::Resampling::Mode mode, double scale) {
    using Mode = backend::Resampling::Mode;
    switch (mode) {
      case Mode::kNearest:
      case Mode::kNearestExact:
        return 0;
      case Mode::kLinear:
        return 2;
      case Mode::kCubic:
        return 4;
      case Mode::kAntialiasedLinear:
        return 2 * std::max(scale, 1.0);
      case Mode::kAntialiasedCubic:
        return 4 * std::max(scale, 1.0);
    }
    return 0;
  }

  // Of all bins of one axis: [floor(i size / bins), ceil((i + 1) size / bins)).
  static double BinElements(int64_t size, int64_t bins) {
    double count = 0;
    for (int64_t i = 0; i < bins; ++i) {
      count += static_cast<double>(((i + 1) * size + bins - 1) / bins - i * size / bins);
    }
    return count;
  }

  const backend::Graph& graph_;
  const backend::Op& op_;
};

}  // namespace

double Flops(const backend::Graph& graph, const backend::Op& op) {
  return std::visit(Counter(graph, op), op.kind);
}

std::map<std::string, double> FlopsByLayer(const backend::Graph& graph) {
  std::map<std::string, double> sums;
  for (const backend::Op& op : graph.ops) sums[op.layer] += Flops(graph, op);
  return sums;
}

}  // namespace lazynet::plan
