#include "engine/plan/batch_axes.h"

#include <algorithm>
#include <utility>

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::kNoValue;
using backend::Op;
using backend::Value;

// Where `whole` is `items` times `one`; nothing if they differ otherwise.
std::optional<int> AxisOf(const Shape& whole, const Shape& one, int64_t items) {
  if (whole.rank() != one.rank()) return std::nullopt;
  int axis = kNoItems;
  for (int i = 0; i < whole.rank(); ++i) {
    if (whole.dim(i) == one.dim(i)) continue;
    if (axis != kNoItems || whole.dim(i) != items * one.dim(i)) return std::nullopt;
    axis = i;
  }
  return axis;
}

int64_t ElementsBefore(const Shape& shape, int axis) {
  int64_t elements = 1;
  for (int i = 0; i < axis; ++i) elements *= shape.dim(i);
  return elements;
}

// One op, some of whose inputs or output hold items. Each overload says whether item i of the
// output is what the op makes of items i of the inputs.
class Rule {
 public:
  Rule(const Graph& graph, const Op& op, const std::vector<int>& axes)
      : graph_(graph), op_(op), axes_(axes) {}

  bool operator()(const backend::InnerProduct&) const { return ByRows(); }
  bool operator()(const backend::Convolution&) const { return ByRows(); }
  bool operator()(const backend::Deconvolution&) const { return ByRows(); }
  bool operator()(const backend::Pooling&) const { return ByRows(); }
  bool operator()(const backend::AdaptiveAveragePooling&) const { return ByRows(); }
  bool operator()(const backend::AdaptiveMaxPooling&) const { return ByRows(); }
  bool operator()(const backend::Resampling&) const { return ByRows(); }
  bool operator()(const backend::Unfold&) const { return ByRows(); }
  bool operator()(const backend::Fold&) const { return ByRows(); }
  bool operator()(const backend::LocalResponseNormalization&) const { return ByRows(); }
  bool operator()(const backend::LayerNormalization&) const { return ByRows(); }
  bool operator()(const backend::Prelu&) const { return ByRows(); }
  bool operator()(const backend::Normalization& op) const {
    return op.statistics != backend::Normalization::Statistics::kPerBatch && ByRows();
  }

  bool operator()(const backend::Eltwise&) const { return SameAxis(); }
  bool operator()(const backend::Cast&) const { return SameAxis(); }
  bool operator()(const backend::Softmax& op) const { return SameAxis() && src() != op.axis; }
  bool operator()(const backend::Cumsum& op) const { return SameAxis() && src() != op.axis; }
  bool operator()(const backend::TopK& op) const { return SameAxis() && src() != op.axis; }
  bool operator()(const backend::Triangle&) const {
    return SameAxis() && src() < shape(0).rank() - 2;
  }
  bool operator()(const backend::Pad& op) const {
    return SameAxis() && op.before[at(src())] == 0 && op.after[at(src())] == 0;
  }
  bool operator()(const backend::Slice& op) const {
    return SameAxis() && op.begin[at(src())] == 0 && (op.step.empty() || op.step[at(src())] == 1) &&
           shape(0).dim(src()) == dst_dim();
  }
  bool operator()(const backend::Concat& op) const {
    for (int input = 0; input < inputs(); ++input) {
      if (axis(input) != dst()) return false;
    }
    return dst() != op.axis;
  }

  bool operator()(const backend::Binary&) const { return ByBroadcasting(); }
  bool operator()(const backend::Where&) const { return ByBroadcasting(); }
  bool operator()(const backend::Expand&) const { return ByBroadcasting(); }

  bool operator()(const backend::MatMul&) const {
    const int rank = shape(0).rank();
    const bool holds[] = {axis(0) != kNoItems, axis(1) != kNoItems};
    // Items are matrices of their own, or rows of the first one.
    if (holds[1] ? dst() >= rank - 2 : dst() >= rank - 1) return false;
    for (int input = 0; input < 2; ++input) {
      if (holds[input] ? axis(input) != dst() : dst() < rank - 2 && shape(input).dim(dst()) != 1) {
        return false;
      }
    }
    return true;
  }

  bool operator()(const backend::Reduction& op) const {
    return std::find(op.axes.begin(), op.axes.end(), src()) == op.axes.end() &&
           dst() == AfterReduction({op.axes.begin(), op.axes.end()});
  }
  bool operator()(const backend::ArgReduction& op) const {
    return src() != op.axis && dst() == AfterReduction({op.axis});
  }

  bool operator()(const backend::Permute& op) const {
    return src() != kNoItems && op.order[at(dst())] == src();
  }
  bool operator()(const backend::Reshape&) const {
    return src() != kNoItems &&
           ElementsBefore(shape(0), src()) == ElementsBefore(dst_shape(), dst());
  }

  bool operator()(const backend::Gather&) const { return SameAxis() && axis(1) == kNoItems; }
  bool operator()(const backend::IndexSelect& op) const {
    return SameAxis() && axis(1) == kNoItems && src() != op.axis;
  }
  bool operator()(const backend::GatherAlong& op) const {
    return SameAxis() && axis(1) == src() && src() != op.axis;
  }

  // Not known to: bags lie one behind the other, a recurrent output is packed.
  template <typename Other>
  bool operator()(const Other&) const {
    return false;
  }

 private:
  static size_t at(int axis) { return static_cast<size_t>(axis); }

  int inputs() const { return static_cast<int>(op_.inputs.size()); }
  int axis(int input) const {
    const backend::ValueId id = op_.inputs[at(input)];
    return id == kNoValue ? kNoItems : axes_[at(id)];
  }
  int src() const { return axis(0); }
  int dst() const { return axes_[at(op_.output)]; }
  const Shape& shape(int input) const { return graph_.value(op_.inputs[at(input)]).shape; }
  const Shape& dst_shape() const { return graph_.value(op_.output).shape; }
  int64_t dst_dim() const { return dst_shape().dim(dst()); }

  bool SameAxis() const { return src() != kNoItems && src() == dst(); }

  // Axis 0 of the first input is that of the output, and the others are the same for all.
  bool ByRows() const {
    for (int input = 1; input < inputs(); ++input) {
      if (axis(input) != kNoItems) return false;
    }
    return src() == 0 && dst() == 0;
  }

  // What holds no items is the same for all: it is stretched along their axis.
  bool ByBroadcasting() const {
    for (int input = 0; input < inputs(); ++input) {
      const int along = dst() - (dst_shape().rank() - shape(input).rank());
      if (axis(input) == kNoItems ? along >= 0 && shape(input).dim(along) != 1
                                  : axis(input) != along) {
        return false;
      }
    }
    return true;
  }

  // Where the axis of the first input's items is once `axes` are gone or of size 1.
  int AfterReduction(const std::vector<int64_t>& axes) const {
    if (src() == kNoItems || dst_shape().rank() == shape(0).rank()) return src();
    return src() - static_cast<int>(std::count_if(
                       axes.begin(), axes.end(), [&](int64_t reduced) { return reduced < src(); }));
  }

  const Graph& graph_;
  const Op& op_;
  const std::vector<int>& axes_;
};

bool SameOp(const Op& a, const Op& b) {
  return a.kind == b.kind && a.inputs == b.inputs && a.output == b.output;
}

}  // namespace

std::optional<std::vector<int>> FindBatchAxes(const Graph& whole, const Graph& one, int64_t items) {
  if (whole.values.size() != one.values.size() || whole.ops.size() != one.ops.size()) {
    return std::nullopt;
  }
  std::vector<int> axes;
  for (size_t i = 0; i < whole.values.size(); ++i) {
    const Value& value = whole.values[i];
    const auto axis = AxisOf(value.shape, one.values[i].shape, items);
    if (!axis || value.dtype != one.values[i].dtype) return std::nullopt;
    if (value.is_constant() != one.values[i].is_constant()) return std::nullopt;
    if (value.is_constant() &&
        (*axis != kNoItems || whole.constants[static_cast<size_t>(value.constant)].key !=
                                  one.constants[static_cast<size_t>(one.values[i].constant)].key)) {
      return std::nullopt;
    }
    axes.push_back(*axis);
  }
  const auto along_axis_0 = [&](backend::ValueId id) { return axes[static_cast<size_t>(id)] == 0; };
  if (!std::all_of(whole.inputs.begin(), whole.inputs.end(), along_axis_0) ||
      !std::all_of(whole.outputs.begin(), whole.outputs.end(), along_axis_0)) {
    return std::nullopt;
  }
  for (size_t i = 0; i < whole.ops.size(); ++i) {
    const Op& op = whole.ops[i];
    if (!SameOp(op, one.ops[i])) return std::nullopt;
    const auto holds = [&](backend::ValueId id) {
      return id != kNoValue && axes[static_cast<size_t>(id)] != kNoItems;
    };
    if (!holds(op.output)) {
      if (std::any_of(op.inputs.begin(), op.inputs.end(), holds)) return std::nullopt;
      continue;
    }
    if (!std::visit(Rule(whole, op, axes), op.kind)) return std::nullopt;
  }
  return axes;
}

}  // namespace lazynet::plan
