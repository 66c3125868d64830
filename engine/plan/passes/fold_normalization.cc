#include "engine/plan/passes/fold_normalization.h"

#include <cmath>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace lazynet::plan {
namespace {

using backend::Constant;
using backend::Graph;
using backend::kNoValue;
using backend::Op;
using backend::ValueId;
using Make = std::function<absl::StatusOr<Tensor>()>;

absl::StatusOr<std::vector<double>> Read(const Make& make, size_t count, double absent) {
  if (make == nullptr) return std::vector<double>(count, absent);
  ASSIGN_OR_RETURN(const Tensor tensor, make());
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = tensor.dtype() == DType::kFp32 ? static_cast<double>(tensor.values<float>()[i])
                                               : tensor.values<double>()[i];
  }
  return values;
}

// What the normalization does to output channel c: x -> x * factor[c] + offset[c].
struct Affine {
  std::vector<double> factor;
  std::vector<double> offset;
};

struct Statistics {
  Make mean, variance, scale, shift;
  double eps = 0;

  absl::StatusOr<Affine> Compute(size_t channels) const {
    ASSIGN_OR_RETURN(const auto means, Read(mean, channels, 0));
    ASSIGN_OR_RETURN(const auto variances, Read(variance, channels, 1));
    ASSIGN_OR_RETURN(const auto scales, Read(scale, channels, 1));
    ASSIGN_OR_RETURN(const auto shifts, Read(shift, channels, 0));
    Affine affine;
    for (size_t c = 0; c < channels; ++c) {
      affine.factor.push_back(scales[c] / std::sqrt(variances[c] + eps));
      affine.offset.push_back(shifts[c] - means[c] * affine.factor[c]);
    }
    return affine;
  }
};

template <typename T>
void ScaleWeights(std::span<const T> from, std::span<T> to, const std::vector<double>& factor,
                  const std::function<size_t(size_t)>& channel_of_row, size_t row_size) {
  for (size_t row = 0; row < from.size() / row_size; ++row) {
    const double by = factor[channel_of_row(row)];
    for (size_t i = row * row_size; i < (row + 1) * row_size; ++i) {
      to[i] = static_cast<T>(static_cast<double>(from[i]) * by);
    }
  }
}

// The weights as rows that each belong to one output channel. A row of weights [O, ...] is all of
// an output channel; of a deconvolution's [C, O / groups, kernel...], the kernel.
struct Rows {
  size_t row_size = 1;
  std::function<size_t(size_t)> channel_of_row;
};

Rows RowsOf(const Op& producer, const Shape& weights) {
  const auto* deconvolution = std::get_if<backend::Deconvolution>(&producer.kind);
  const size_t count = static_cast<size_t>(weights.num_elements());
  const auto outer = static_cast<size_t>(weights.dim(0));
  if (deconvolution == nullptr) return {count / outer, [](size_t row) { return row; }};
  const auto per_group = static_cast<size_t>(weights.dim(1));
  const size_t inputs_per_group = outer / static_cast<size_t>(deconvolution->groups);
  return {count / outer / per_group, [per_group, inputs_per_group](size_t row) {
            return row / per_group / inputs_per_group * per_group + row % per_group;
          }};
}

Make FoldedWeights(Make weights, Statistics statistics, size_t channels, Rows rows) {
  return [=]() -> absl::StatusOr<Tensor> {
    ASSIGN_OR_RETURN(const Affine affine, statistics.Compute(channels));
    ASSIGN_OR_RETURN(const Tensor plain, weights());
    ASSIGN_OR_RETURN(Tensor folded, Tensor::Allocate(plain.dtype(), plain.shape()));
    if (plain.dtype() == DType::kFp32) {
      ScaleWeights(plain.values<float>(), folded.mutable_view().values<float>(), affine.factor,
                   rows.channel_of_row, rows.row_size);
    } else {
      ScaleWeights(plain.values<double>(), folded.mutable_view().values<double>(), affine.factor,
                   rows.channel_of_row, rows.row_size);
    }
    return folded;
  };
}

Make FoldedBias(Make bias, Statistics statistics, size_t channels, DType dtype) {
  return [=]() -> absl::StatusOr<Tensor> {
    ASSIGN_OR_RETURN(const Affine affine, statistics.Compute(channels));
    ASSIGN_OR_RETURN(const auto biases, Read(bias, channels, 0));
    ASSIGN_OR_RETURN(Tensor folded, Tensor::Allocate(dtype, Shape{static_cast<int64_t>(channels)}));
    for (size_t c = 0; c < channels; ++c) {
      const double value = biases[c] * affine.factor[c] + affine.offset[c];
      if (dtype == DType::kFp32) {
        folded.mutable_view().values<float>()[c] = static_cast<float>(value);
      } else {
        folded.mutable_view().values<double>()[c] = value;
      }
    }
    return folded;
  };
}

bool TakesFolding(const Op& op) {
  return std::holds_alternative<backend::Convolution>(op.kind) ||
         std::holds_alternative<backend::Deconvolution>(op.kind) ||
         std::holds_alternative<backend::InnerProduct>(op.kind);
}

// The op that made `id`, if folding into it is allowed.
std::optional<size_t> FindProducer(const Graph& graph, ValueId id, size_t before) {
  for (const ValueId output : graph.outputs) {
    if (output == id) return std::nullopt;
  }
  int readers = 0;
  for (const Op& op : graph.ops) {
    for (const ValueId input : op.inputs) readers += input == id ? 1 : 0;
  }
  if (readers != 1) return std::nullopt;
  for (size_t i = 0; i < before; ++i) {
    if (graph.ops[i].output == id) {
      return TakesFolding(graph.ops[i]) ? std::optional(i) : std::nullopt;
    }
  }
  return std::nullopt;
}

void Fold(Graph& graph, Op& producer, const Op& normalization) {
  const auto make = [&](ValueId id) { return id == kNoValue ? nullptr : graph.constant(id).make; };
  const auto& inputs = normalization.inputs;
  const Statistics statistics{.mean = make(inputs[1]),
                              .variance = make(inputs[2]),
                              .scale = make(inputs[3]),
                              .shift = make(inputs[4]),
                              .eps = std::get<backend::Normalization>(normalization.kind).eps};
  const backend::Value weights = graph.value(producer.inputs[1]);
  const std::string weights_key = graph.constant(producer.inputs[1]).key;
  const Make weights_make = graph.constant(producer.inputs[1]).make;
  const Make bias_make = make(producer.inputs[2]);
  const int64_t channels = graph.value(producer.output).shape.dim(1);
  const auto count = static_cast<size_t>(channels);
  const std::string suffix = "*" + normalization.layer;
  producer.inputs[1] = graph.AddConstant(
      weights.dtype, weights.shape,
      Constant{weights_key + suffix,
               FoldedWeights(weights_make, statistics, count, RowsOf(producer, weights.shape))});
  producer.inputs[2] =
      graph.AddConstant(weights.dtype, Shape{channels},
                        Constant{producer.layer + ".bias" + suffix,
                                 FoldedBias(bias_make, statistics, count, weights.dtype)});
  producer.output = normalization.output;
}

}  // namespace

void FoldNormalization(Graph& graph) {
  std::vector<bool> folded(graph.ops.size(), false);
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const auto* kind = std::get_if<backend::Normalization>(&graph.ops[i].kind);
    if (kind == nullptr || kind->statistics != backend::Normalization::Statistics::kGiven) continue;
    const auto producer = FindProducer(graph, graph.ops[i].inputs[0], i);
    if (!producer) continue;
    Fold(graph, graph.ops[*producer], graph.ops[i]);
    folded[i] = true;
  }
  std::vector<Op> kept;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    if (!folded[i]) kept.push_back(std::move(graph.ops[i]));
  }
  graph.ops = std::move(kept);
}

}  // namespace lazynet::plan
