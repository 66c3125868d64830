#include "engine/nn/layers/scaled_dot_product_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "engine/nn/broadcast.h"
#include "engine/nn/fitting.h"
#include "engine/nn/layers/attention.h"
#include "engine/nn/matrices.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;

constexpr double kNever = -std::numeric_limits<double>::infinity();

class ScaledDotProductAttention : public Layer {
 public:
  explicit ScaledDotProductAttention(AttributeReader& reader)
      : is_causal_(reader.Bool("is_causal", false)), enable_gqa_(reader.Bool("enable_gqa", false)) {
    const double dropout = reader.Double("dropout_p", 0);
    reader.Require(dropout >= 0 && dropout <= 1,
                   fmt::format("argument dropout_p wants 0 to 1, got {}", dropout));
    if (reader.Has("scale")) scale_ = reader.Double("scale", 0);
  }

  Arity arity() const override { return {.least = 3, .most = is_causal_ ? 3 : 4}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs,
                                           DType dtype) const override {
    RETURN_IF_ERROR(Layer::InferDTypes(inputs.first(3), dtype).status());
    if (inputs.size() == 4) RETURN_IF_ERROR(CheckMaskDType("an attn_mask", inputs[3], inputs[0]));
    return OutputDTypes{inputs[0]};
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    for (const Shape& input : inputs.first(3)) {
      const int least = enable_gqa_ ? 3 : 2;
      if (input.rank() < least) {
        return InvalidArgument("wants a rank of at least {}, got shape {}", least,
                               input.ToString());
      }
    }
    const Shape& query = inputs[0];
    const Shape& key = inputs[1];
    const Shape& value = inputs[2];
    if (!MayEqual(query.dim(-1), key.dim(-1)) || !MayEqual(key.dim(-2), value.dim(-2))) {
      return InvalidArgument(
          "wants query and key of one width, and key and value of one length, got {}, {} and {}",
          query.ToString(), key.ToString(), value.ToString());
    }
    if (key.dim(-2) == 0) {
      return InvalidArgument("wants at least 1 key, got shape {}", key.ToString());
    }
    if (query.dim(-1) == 0) return InvalidArgument("wants a width of at least 1, got 0");
    ASSIGN_OR_RETURN(const Shape keys, Shared(query, key));
    ASSIGN_OR_RETURN(const Shape values, Shared(query, value));
    ASSIGN_OR_RETURN(Shape batch, Broadcast(BatchOf(query), keys));
    ASSIGN_OR_RETURN(batch, Broadcast(batch, values));
    if (inputs.size() == 4) {
      const Shape scores = WithMatrix(batch, query.dim(-2), key.dim(-2));
      const auto stretched = Broadcast(scores, inputs[3]);
      if (!stretched.ok() || !MayEqual(*stretched, scores)) {
        return InvalidArgument("wants an attn_mask that stretches to {}, got {}", scores.ToString(),
                               inputs[3].ToString());
      }
    }
    return WithMatrix(batch, query.dim(-2), value.dim(-1));
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape query_shape = lowering.shape(lowering.input(0));
    const ValueId shared_key = Repeated(lowering, lowering.input(1), query_shape);
    const ValueId shared_value = Repeated(lowering, lowering.input(2), query_shape);
    const int rank = std::max({query_shape.rank(), lowering.shape(shared_key).rank(),
                               lowering.shape(shared_value).rank()});
    const ValueId query = InRank(lowering, lowering.input(0), rank);
    const ValueId key = InRank(lowering, shared_key, rank);
    const ValueId value = InRank(lowering, shared_value, rank);
    const Shape value_shape = lowering.shape(value);
    const Shape batch = *Broadcast(BatchOf(lowering.shape(query)), BatchOf(lowering.shape(key)));
    const Shape scores_shape = WithMatrix(batch, query_shape.dim(-2), lowering.shape(key).dim(-2));
    const double width = static_cast<double>(query_shape.dim(-1));
    ValueId weights = lowering.Add(
        backend::MatMul{.transpose_b = true, .alpha = scale_.value_or(1.0 / std::sqrt(width))},
        {query, key}, scores_shape);
    const bool masked = lowering.input_count() == 4;
    if (masked || is_causal_) {
      weights =
          Hide(lowering, weights, masked ? lowering.input(3) : Causal(lowering, scores_shape));
    }
    const ValueId scores = weights;
    const Shape shape = lowering.shape(scores);
    weights = lowering.Add(backend::Softmax{.axis = rank - 1}, {scores}, shape);
    if (masked) weights = ZeroWhereNothing(lowering, scores, weights);
    const Shape output = WithMatrix(*Broadcast(BatchOf(shape), BatchOf(value_shape)),
                                    query_shape.dim(-2), value_shape.dim(-1));
    return lowering.Add(backend::MatMul{}, {weights, value}, output);
  }

  std::string Arguments(const Sizes&) const override {
    std::string text = is_causal_ ? "is_causal=True" : "";
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
    if (scale_) add(fmt::format("scale={}", PythonFloat(*scale_)));
    if (enable_gqa_) add("enable_gqa=True");
    return text;
  }

 private:
  // The batch dims of key or value as the query sees them.
  absl::StatusOr<Shape> Shared(const Shape& query, const Shape& keys) const {
    Shape batch = BatchOf(keys);
    if (!enable_gqa_) return batch;
    const int64_t heads = query.dim(-3);
    const int64_t got = keys.dim(-3);
    if (heads == kUnknownDim || got == kUnknownDim) {
      batch.set_dim(-1, heads);
      return batch;
    }
    if (got == 0 || heads % got != 0) {
      return InvalidArgument("wants heads of the query that are a multiple of {}, got {}", got,
                             heads);
    }
    batch.set_dim(-1, heads);
    return batch;
  }

  // Each head of key or value as often as the query's heads use it, one after the other.
  ValueId Repeated(Lowering& lowering, ValueId keys, const Shape& query) const {
    const Shape shape = lowering.shape(keys);
    if (!enable_gqa_ || shape.dim(-3) == query.dim(-3)) return keys;
    const int64_t times = query.dim(-3) / shape.dim(-3);
    Shape::Dims one(shape.dims().begin(), shape.dims().end() - 2);
    one.push_back(1);
    one.insert(one.end(), shape.dims().end() - 2, shape.dims().end());
    Shape::Dims many = one;
    many[many.size() - 3] = times;
    const ValueId single = lowering.Reshape(keys, Shape(std::move(one)));
    const ValueId expanded = lowering.Add(backend::Expand{}, {single}, Shape(std::move(many)));
    Shape joined = shape;
    joined.set_dim(-3, query.dim(-3));
    return lowering.Reshape(expanded, joined);
  }

  static ValueId InRank(Lowering& lowering, ValueId value, int rank) {
    const Shape shape = lowering.shape(value);
    return shape.rank() == rank ? value : lowering.Reshape(value, WithRank(shape, rank));
  }

  // True on and below the diagonal that starts at the top left.
  static ValueId Causal(Lowering& lowering, const Shape& scores) {
    const Shape shape{scores.dim(-2), scores.dim(-1)};
    auto make = [shape]() -> absl::StatusOr<Tensor> {
      ASSIGN_OR_RETURN(Tensor mask, Tensor::Allocate(DType::kBool, shape));
      const auto values = mask.mutable_view().values<bool>();
      for (int64_t i = 0; i < shape.dim(0); ++i) {
        for (int64_t j = 0; j < shape.dim(1); ++j) {
          values[static_cast<size_t>(i * shape.dim(1) + j)] = j <= i;
        }
      }
      return mask;
    };
    return lowering.graph().AddConstant(
        DType::kBool, shape, {fmt::format("~causal {}", shape.ToString()), std::move(make)});
  }

  static ValueId Hide(Lowering& lowering, ValueId scores, ValueId mask) {
    const DType dtype = lowering.dtype_of(scores);
    const Shape shape = *Broadcast(lowering.shape(scores), lowering.shape(mask));
    if (lowering.dtype_of(mask) != DType::kBool) {
      return lowering.Add(backend::Binary{backend::Binary::Algorithm::kAdd}, {scores, mask}, shape);
    }
    return lowering.Add(backend::Where{}, {mask, scores, lowering.Scalar(kNever, dtype)}, shape,
                        dtype);
  }

  static ValueId ZeroWhereNothing(Lowering& lowering, ValueId scores, ValueId weights) {
    const Shape shape = lowering.shape(scores);
    const DType dtype = lowering.dtype_of(scores);
    Shape rows = shape;
    rows.set_dim(-1, 1);
    const backend::Reduction largest{.algorithm = backend::Reduction::Algorithm::kMax,
                                     .axes = {shape.rank() - 1}};
    const ValueId best = lowering.Add(largest, {scores}, rows);
    const ValueId nothing =
        lowering.Add(backend::Binary{backend::Binary::Algorithm::kEqual},
                     {best, lowering.Scalar(kNever, dtype)}, rows, DType::kBool);
    return lowering.Add(backend::Where{}, {nothing, lowering.Scalar(0, dtype), weights}, shape,
                        dtype);
  }

  bool is_causal_;
  bool enable_gqa_;
  std::optional<double> scale_;
};

}  // namespace

std::unique_ptr<const Layer> MakeScaledDotProductAttention(AttributeReader& reader) {
  return std::make_unique<ScaledDotProductAttention>(reader);
}

}  // namespace lazynet::nn
