#include "engine/nn/dim_expression.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace lazynet::nn {

struct DimExpression::Node {
  enum class Kind { kNumber, kDim, kAdd, kSubtract, kMultiply, kDivide, kModulo, kMin, kMax };
  Kind kind = Kind::kNumber;
  int64_t number = 0;  // of kNumber; the axis of kDim
  int input = 0;       // of kDim
  std::shared_ptr<const Node> left;
  std::shared_ptr<const Node> right;
};

namespace {

using Node = DimExpression::Node;
using NodePtr = std::shared_ptr<const Node>;

constexpr int kMaxDepth = 64;
constexpr size_t kMaxBytes = 4096;

// Numbers beyond are no sizes, and sums of two within fit into 64 bits.
constexpr int64_t kMaxNumber = int64_t{1} << 53;

absl::StatusOr<int64_t> Compute(Node::Kind kind, int64_t a, int64_t b) {
  const bool divides = kind == Node::Kind::kDivide || kind == Node::Kind::kModulo;
  if (divides && b == 0) return InvalidArgument("division by 0");
  const int64_t remainder = divides ? (a % b != 0 && (a < 0) != (b < 0) ? a % b + b : a % b) : 0;
  int64_t result = 0;
  bool overflows = false;
  switch (kind) {
    case Node::Kind::kAdd:
      result = a + b;
      break;
    case Node::Kind::kSubtract:
      result = a - b;
      break;
    case Node::Kind::kMultiply:
      overflows = __builtin_mul_overflow(a, b, &result);
      break;
    case Node::Kind::kDivide:
      result = (a - remainder) / b;
      break;
    case Node::Kind::kModulo:
      result = remainder;
      break;
    case Node::Kind::kMin:
      result = std::min(a, b);
      break;
    default:
      result = std::max(a, b);
  }
  if (overflows || result > kMaxNumber || result < -kMaxNumber) {
    return InvalidArgument("a number beyond 2^53");
  }
  return result;
}

absl::StatusOr<std::optional<int64_t>> DimOf(const Node& node, std::span<const Shape> inputs) {
  if (node.input >= static_cast<int>(inputs.size())) {
    return InvalidArgument("wants an input {}, got {} inputs", node.input, inputs.size());
  }
  const Shape& shape = inputs[static_cast<size_t>(node.input)];
  if (node.number < -shape.rank() || node.number >= shape.rank()) {
    return InvalidArgument("wants a dim {} of input {}, got shape {}", node.number, node.input,
                           shape.ToString());
  }
  const int64_t dim = shape.dim(static_cast<int>(node.number));
  if (dim == kUnknownDim) return std::optional<int64_t>();
  return std::optional(dim);
}

absl::StatusOr<std::optional<int64_t>> Value(const Node& node, std::span<const Shape> inputs) {
  if (node.kind == Node::Kind::kNumber) return std::optional(node.number);
  if (node.kind == Node::Kind::kDim) return DimOf(node, inputs);
  ASSIGN_OR_RETURN(const std::optional<int64_t> left, Value(*node.left, inputs));
  ASSIGN_OR_RETURN(const std::optional<int64_t> right, Value(*node.right, inputs));
  if (!left || !right) return std::optional<int64_t>();
  ASSIGN_OR_RETURN(const int64_t value, Compute(node.kind, *left, *right));
  return std::optional(value);
}

int LastInput(const Node& node) {
  if (node.kind == Node::Kind::kNumber) return -1;
  if (node.kind == Node::Kind::kDim) return node.input;
  return std::max(LastInput(*node.left), LastInput(*node.right));
}

}  // namespace

// Recursive descent. The first fault is kept; after it everything parses as 0.
class DimExpressionParser {
 public:
  explicit DimExpressionParser(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<DimExpression>> List() {
    std::vector<DimExpression> all;
    if (text_.size() > kMaxBytes) {
      return InvalidArgument("wants at most {} bytes, got {}", kMaxBytes, text_.size());
    }
    Space();
    while (fault_.ok() && (at_ < text_.size() || !all.empty())) {
      const size_t begin = at_;
      NodePtr root = Expression(0);
      std::string_view own = text_.substr(begin, at_ - begin);
      while (!own.empty() && own.back() == ' ') own.remove_suffix(1);
      all.push_back(DimExpression(std::move(root), std::string(own)));
      if (at_ == text_.size()) break;
      Expect(",");
    }
    if (!fault_.ok()) return fault_;
    return all;
  }

 private:
  void Space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool Accept(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    Space();
    return true;
  }

  void Expect(std::string_view token) {
    if (!Accept(token)) Fault(fmt::format("\"{}\"", token));
  }

  void Fault(std::string_view wanted) {
    if (!fault_.ok()) return;
    const std::string_view rest = text_.substr(at_);
    fault_ = InvalidArgument("wants {} at byte {}, got \"{}\"", wanted, at_, rest);
  }

  NodePtr Number(int64_t value) { return std::make_shared<Node>(Node{.number = value}); }

  NodePtr Join(Node::Kind kind, NodePtr left, NodePtr right) {
    return std::make_shared<Node>(
        Node{.kind = kind, .left = std::move(left), .right = std::move(right)});
  }

  NodePtr Expression(int depth) {
    NodePtr left = Term(depth);
    while (fault_.ok()) {
      if (Accept("+")) {
        left = Join(Node::Kind::kAdd, left, Term(depth));
      } else if (Accept("-")) {
        left = Join(Node::Kind::kSubtract, left, Term(depth));
      } else {
        break;
      }
    }
    return left;
  }

  NodePtr Term(int depth) {
    NodePtr left = Factor(depth);
    while (fault_.ok()) {
      if (Accept("*")) {
        left = Join(Node::Kind::kMultiply, left, Factor(depth));
      } else if (Accept("//")) {
        left = Join(Node::Kind::kDivide, left, Factor(depth));
      } else if (Accept("%")) {
        left = Join(Node::Kind::kModulo, left, Factor(depth));
      } else {
        break;
      }
    }
    return left;
  }

  NodePtr Factor(int depth) {
    if (depth > kMaxDepth) {
      Fault(fmt::format("at most {} nested parts", kMaxDepth));
      return Number(0);
    }
    if (Accept("-")) return Negated(depth);
    if (Accept("(")) {
      NodePtr inner = Expression(depth + 1);
      Expect(")");
      return inner;
    }
    if (Accept("dim")) return Dim();
    if (Accept("min")) return OfTwo(Node::Kind::kMin, depth);
    if (Accept("max")) return OfTwo(Node::Kind::kMax, depth);
    return Number(Integer());
  }

  NodePtr Negated(int depth) {
    NodePtr factor = Factor(depth + 1);
    if (factor->kind == Node::Kind::kNumber) return Number(-factor->number);
    return Join(Node::Kind::kSubtract, Number(0), std::move(factor));
  }

  NodePtr OfTwo(Node::Kind kind, int depth) {
    Expect("(");
    NodePtr left = Expression(depth + 1);
    Expect(",");
    NodePtr right = Expression(depth + 1);
    Expect(")");
    return Join(kind, std::move(left), std::move(right));
  }

  NodePtr Dim() {
    Expect("(");
    Node node{.kind = Node::Kind::kDim, .number = Signed()};
    if (Accept(",")) {
      if (node.number < 0 || node.number > kMaxNumber) Fault("an input index of at least 0");
      node.input = static_cast<int>(std::min<int64_t>(node.number, 1 << 20));
      node.number = Signed();
    }
    Expect(")");
    return std::make_shared<Node>(node);
  }

  int64_t Signed() { return Accept("-") ? -Integer() : Integer(); }

  int64_t Integer() {
    int64_t value = 0;
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    const bool digit = begin != end && std::isdigit(static_cast<unsigned char>(*begin)) != 0;
    const auto [rest, error] = std::from_chars(begin, end, value);
    if (!digit || error != std::errc() || value > kMaxNumber) {
      Fault("a number up to 2^53, dim(axis), min, max or ( )");
      return 0;
    }
    at_ += static_cast<size_t>(rest - begin);
    Space();
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
  absl::Status fault_;
};

DimExpression::DimExpression(std::shared_ptr<const Node> root, std::string text)
    : root_(std::move(root)), text_(std::move(text)) {}

absl::StatusOr<DimExpression> DimExpression::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(std::vector<DimExpression> all, ParseList(text));
  if (all.size() != 1) return InvalidArgument("wants 1 number, got {}", all.size());
  return all.front();
}

absl::StatusOr<std::vector<DimExpression>> DimExpression::ParseList(std::string_view text) {
  return DimExpressionParser(text).List();
}

absl::StatusOr<std::optional<int64_t>> DimExpression::Evaluate(
    std::span<const Shape> inputs) const {
  auto value = Value(*root_, inputs);
  if (!value.ok()) return Annotate(fmt::format("\"{}\"", text_), value.status());
  return value;
}

std::optional<int64_t> DimExpression::constant() const {
  if (last_input() >= 0) return std::nullopt;
  const auto value = Evaluate({});
  return value.ok() ? *value : std::nullopt;
}

std::optional<DimExpression::Dim> DimExpression::dim() const {
  if (root_->kind != Node::Kind::kDim) return std::nullopt;
  return Dim{root_->input, root_->number};
}

int DimExpression::last_input() const { return LastInput(*root_); }

}  // namespace lazynet::nn
