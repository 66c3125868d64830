#include "service/cli/op_color.h"

#include <algorithm>
#include <span>

namespace lazynet::cli {
namespace {

constexpr std::string_view kConvolutions[] = {"convolution", "deconvolution"};
constexpr std::string_view kProducts[] = {"inner_product", "matmul"};
constexpr std::string_view kReductions[] = {"max_pooling",
                                            "average_pooling",
                                            "adaptive_pooling",
                                            "adaptive_max_pooling",
                                            "argmax",
                                            "argmin",
                                            "topk",
                                            "cumsum"};
constexpr std::string_view kNormalizations[] = {"normalization", "layer_normalization", "lrn",
                                                "softmax"};
constexpr std::string_view kRecurrences[] = {"lstm", "gru", "rnn_tanh", "rnn_relu"};
constexpr std::string_view kMoves[] = {
    "reorder", "concat", "pad",  "permute",      "slice",        "expand",        "triangle",
    "cast",    "gather", "fold", "index_select", "gather_along", "embedding_bag", "unfold"};

bool IsIn(std::span<const std::string_view> ops, std::string_view op) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

}  // namespace

std::string_view OpColor(std::string_view op) {
  if (IsIn(kConvolutions, op)) return "#a6cee3";
  if (IsIn(kProducts, op)) return "#b2df8a";
  if (IsIn(kReductions, op) || op.starts_with("reduce_")) return "#fdbf6f";
  if (IsIn(kNormalizations, op)) return "#cab2d6";
  if (IsIn(kRecurrences, op)) return "#99d8c9";
  if (IsIn(kMoves, op)) return "#fb9a99";
  if (op == "range_check") return "#d9d9d9";
  return "#ffed8f";
}

}  // namespace lazynet::cli
