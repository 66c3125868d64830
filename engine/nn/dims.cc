#include "engine/nn/dims.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace lazynet::nn {

absl::StatusOr<std::vector<int>> DistinctAxes(std::span<const int64_t> dims, const Shape& shape) {
  std::vector<int> axes;
  for (const int64_t dim : dims) {
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim, shape));
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) {
      return InvalidArgument("wants each dim once, got {} in shape {}", Tuple(dims),
                             shape.ToString());
    }
    axes.push_back(axis);
  }
  return axes;
}

Shape WithoutAxis(const Shape& shape, int axis) {
  Shape::Dims dims(shape.dims().begin(), shape.dims().end());
  dims.erase(dims.begin() + axis);
  return Shape(std::move(dims));
}

absl::Status CheckNoScalar(const Shape& shape) {
  if (shape.rank() > 0) return absl::OkStatus();
  return InvalidArgument("wants a rank of at least 1, got a scalar");
}

absl::StatusOr<std::vector<Size>> Evaluate(std::span<const DimExpression> expressions,
                                           std::span<const Shape> inputs) {
  std::vector<Size> sizes;
  for (const DimExpression& expression : expressions) {
    ASSIGN_OR_RETURN(const Size size, expression.Evaluate(inputs));
    sizes.push_back(size);
  }
  return sizes;
}

namespace {

// The product of what is known, and how many factors are not.
struct Elements {
  int64_t known = 1;
  int unknown = 0;

  void Add(const Size& size) {
    if (!size) {
      ++unknown;
    } else if (__builtin_mul_overflow(known, *size, &known)) {
      known = kMaxElements + 1;  // too many for any shape
    }
  }
};

// Of input 0's unknown axes, those that an expression is the size of are taken off the list.
bool Cancels(const DimExpression& expression, int rank, std::vector<int>& unknown_axes) {
  const auto dim = expression.dim();
  if (!dim || dim->input != 0) return false;
  const auto axis = static_cast<int>(dim->axis < 0 ? dim->axis + rank : dim->axis);
  const auto found = std::find(unknown_axes.begin(), unknown_axes.end(), axis);
  if (found == unknown_axes.end()) return false;
  unknown_axes.erase(found);
  return true;
}

}  // namespace

absl::StatusOr<Shape::Dims> Rearranged(std::span<const DimExpression> wanted,
                                       std::span<const Shape> inputs, int begin, int end) {
  const Shape& input = inputs[0];
  Elements have;
  std::vector<int> unknown_axes;
  for (int axis = begin; axis < end; ++axis) {
    if (input.dim(axis) == kUnknownDim) {
      unknown_axes.push_back(axis);
    } else {
      have.Add(input.dim(axis));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<Size> sizes, Evaluate(wanted, inputs));
  const auto refuse = [&](std::string_view why) {
    return InvalidArgument(
        "wants sizes {} for the {} elements of shape {}{}", Text(wanted),
        unknown_axes.empty() ? std::to_string(have.known) : "?",
        Shape(input.dims().subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)))
            .ToString(),
        why);
  };
  Elements want;
  std::optional<size_t> rest;  // where -1 stands
  Shape::Dims dims;
  for (size_t i = 0; i < sizes.size(); ++i) {
    dims.push_back(DimOf(sizes[i]));
    if (!sizes[i]) {
      if (!Cancels(wanted[i], input.rank(), unknown_axes)) want.Add(std::nullopt);
    } else if (*sizes[i] == -1) {
      if (rest) return refuse(": only one -1 is possible");
      rest = i;
    } else if (*sizes[i] < 0) {
      return refuse(fmt::format(": got {}", *sizes[i]));
    } else {
      want.Add(*sizes[i]);
    }
  }
  const bool known = unknown_axes.empty() && want.unknown == 0;
  if (unknown_axes.empty() && want.known == 0 && have.known != 0) return refuse("");
  if (unknown_axes.empty() && want.known != 0 && have.known % want.known != 0) return refuse("");
  if (known && !rest && have.known != want.known) return refuse("");
  if (!unknown_axes.empty() && want.unknown == 0 && !rest) {
    const bool possible = have.known == 0 ? want.known == 0 : want.known % have.known == 0;
    if (!possible) return refuse("");
  }
  if (rest && known) {
    if (want.known == 0) return refuse(": -1 may be any number");
    dims[*rest] = have.known / want.known;
  }
  RETURN_IF_ERROR(CheckPartialBounds(dims));
  return dims;
}

int64_t TimesDim(int64_t dim, int64_t factor) {
  return dim == kUnknownDim ? kUnknownDim : dim * factor;
}

std::vector<Shape> InputShapes(Lowering& lowering) {
  std::vector<Shape> shapes;
  for (int i = 0; i < lowering.input_count(); ++i) {
    shapes.push_back(lowering.shape(lowering.input(i)));
  }
  return shapes;
}

backend::ValueId SliceAxis(Lowering& lowering, backend::ValueId src, int axis, int64_t begin,
                           int64_t size, int64_t step) {
  Shape shape = lowering.shape(src);
  if (step == 1 && size == shape.dim(axis)) return src;
  const auto rank = static_cast<size_t>(shape.rank());
  backend::Slice op{.begin = backend::AxisVector(rank, 0), .step = backend::AxisVector(rank, 1)};
  op.begin[static_cast<size_t>(axis)] = begin;
  op.step[static_cast<size_t>(axis)] = step;
  shape.set_dim(axis, size);
  return lowering.Add(std::move(op), {src}, std::move(shape));
}

backend::ValueId PermuteAxes(Lowering& lowering, backend::ValueId src,
                             const backend::AxisVector& order) {
  if (std::is_sorted(order.begin(), order.end())) return src;
  Shape::Dims dims;
  for (const int64_t axis : order) dims.push_back(lowering.shape(src).dim(static_cast<int>(axis)));
  return lowering.Add(backend::Permute{order}, {src}, Shape(std::move(dims)));
}

std::string Text(std::span<const DimExpression> expressions) {
  std::string text = "(";
  for (const DimExpression& expression : expressions) {
    text += (text.size() > 1 ? ", " : "") + expression.text();
  }
  return text + (expressions.size() == 1 ? ",)" : ")");
}

}  // namespace lazynet::nn
