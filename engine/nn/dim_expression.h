#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/shape.h"

namespace lazynet::nn {

// An integer made of the sizes of a layer's inputs, as shape arguments are written:
//
//     expression := term (('+' | '-') term)*
//     term       := factor (('*' | '//' | '%') factor)*
//     factor     := integer | '-' factor | '(' expression ')' | function
//     function   := 'dim' '(' [input ','] axis ')' | ('min' | 'max') '(' expression ',' expression
//     ')'
//
// dim(axis) is a size of the layer's first input, dim(input, axis) of another; axis counts from the
// end when negative. Division rounds down and % has the divisor's sign, as in Python. Immutable,
// safe for use by many threads.
class DimExpression {
 public:
  // INVALID_ARGUMENT with the place of the fault.
  static absl::StatusOr<DimExpression> Parse(std::string_view text);

  // Expressions with commas between; none in an empty text.
  static absl::StatusOr<std::vector<DimExpression>> ParseList(std::string_view text);

  // Nothing where the result depends on a dim that is unknown. INVALID_ARGUMENT when there is no
  // such input or axis, a division by 0, or the numbers leave +-2^53.
  absl::StatusOr<std::optional<int64_t>> Evaluate(std::span<const Shape> inputs) const;

  // The number, when it depends on no input.
  std::optional<int64_t> constant() const;

  // What it is the size of, when it is that and no more.
  struct Dim {
    int input;
    int64_t axis;
  };
  std::optional<Dim> dim() const;

  // The largest index of an input that it names; -1 for none.
  int last_input() const;

  const std::string& text() const { return text_; }

  struct Node;

 private:
  friend class DimExpressionParser;
  DimExpression(std::shared_ptr<const Node> root, std::string text);

  std::shared_ptr<const Node> root_;
  std::string text_;
};

}  // namespace lazynet::nn
