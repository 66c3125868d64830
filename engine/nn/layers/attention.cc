#include "engine/nn/layers/attention.h"

#include <cmath>
#include <limits>

#include "engine/nn/fitting.h"

namespace lazynet::nn {
namespace {

using backend::kNoValue;
using backend::ValueId;

// [L, N, E] or [N, L, E] -> [N, heads, L, E / heads].
ValueId SplitHeads(Lowering& lowering, const AttentionShape& shape, ValueId src, int64_t length) {
  const int64_t heads = shape.num_heads;
  const int64_t width = shape.embed_dim / heads;
  const ValueId split =
      lowering.Reshape(src, shape.batch_first ? Shape{shape.batch, length, heads, width}
                                              : Shape{length, shape.batch, heads, width});
  const backend::Permute permute{shape.batch_first ? backend::AxisVector{0, 2, 1, 3}
                                                   : backend::AxisVector{1, 2, 0, 3}};
  return lowering.Add(permute, {split}, Shape{shape.batch, heads, length, width});
}

ValueId JoinHeads(Lowering& lowering, const AttentionShape& shape, ValueId src) {
  const int64_t length = shape.query_length;
  const int64_t heads = shape.num_heads;
  const int64_t width = shape.embed_dim / heads;
  if (shape.batch_first) {
    const ValueId back = lowering.Add(backend::Permute{{0, 2, 1, 3}}, {src},
                                      Shape{shape.batch, length, heads, width});
    return lowering.Reshape(back, Shape{shape.batch, length, shape.embed_dim});
  }
  const ValueId back =
      lowering.Add(backend::Permute{{2, 0, 1, 3}}, {src}, Shape{length, shape.batch, heads, width});
  return lowering.Reshape(back, Shape{length, shape.batch, shape.embed_dim});
}

// Keys that were appended are hidden from nobody.
ValueId Padded(Lowering& lowering, ValueId mask, int64_t keys) {
  Shape shape = lowering.shape(mask);
  const int64_t appended = keys - shape.dim(-1);
  if (appended == 0) return mask;
  backend::Pad pad{.mode = backend::Pad::Mode::kConstant};
  pad.before.resize(static_cast<size_t>(shape.rank()));
  pad.after = pad.before;
  pad.after.back() = appended;
  shape.set_dim(-1, keys);
  return lowering.Add(pad, {mask}, shape);
}

// The attention mask in the rank of the scores.
ValueId AttentionMask(Lowering& lowering, const AttentionShape& shape, ValueId mask) {
  const ValueId padded = Padded(lowering, mask, shape.key_length);
  const bool shared = lowering.shape(padded).rank() == 2;
  return lowering.Reshape(padded, Shape{shared ? 1 : shape.batch, shared ? 1 : shape.num_heads,
                                        shape.query_length, shape.key_length});
}

ValueId KeyPaddingMask(Lowering& lowering, const AttentionShape& shape, ValueId mask) {
  const ValueId padded = Padded(lowering, mask, shape.key_length);
  return lowering.Reshape(padded, Shape{shape.batch, 1, 1, shape.key_length});
}

absl::Status WrongMask(std::string_view name, const Shape& wanted, const Shape& got) {
  return InvalidArgument("wants {} of shape {}, got {}", name, wanted.ToString(), got.ToString());
}

}  // namespace

ValueId AsBatch(Lowering& lowering, ValueId sequence, bool batch_first) {
  const Shape shape = lowering.shape(sequence);
  if (shape.rank() == 3) return sequence;
  return lowering.Reshape(sequence, batch_first ? Shape{1, shape.dim(0), shape.dim(1)}
                                                : Shape{shape.dim(0), 1, shape.dim(1)});
}

ValueId Masked(Lowering& lowering, ValueId scores, ValueId hidden) {
  const Shape shape = lowering.shape(scores);
  if (lowering.dtype_of(hidden) != DType::kBool) {
    return lowering.Add(backend::Binary{backend::Binary::Algorithm::kAdd}, {scores, hidden}, shape);
  }
  const DType dtype = lowering.dtype_of(scores);
  const ValueId never = lowering.Scalar(-std::numeric_limits<double>::infinity(), dtype);
  return lowering.Add(backend::Where{}, {hidden, never, scores}, shape, dtype);
}

Attended Attend(Lowering& lowering, const AttentionShape& shape, ValueId query, ValueId key,
                ValueId value, const AttentionMasks& masks) {
  const int64_t width = shape.embed_dim / shape.num_heads;
  const ValueId q = SplitHeads(lowering, shape, query, shape.query_length);
  const ValueId k = SplitHeads(lowering, shape, key, shape.key_length);
  const ValueId v = SplitHeads(lowering, shape, value, shape.key_length);
  const Shape scores_shape{shape.batch, shape.num_heads, shape.query_length, shape.key_length};
  ValueId scores = lowering.Add(
      backend::MatMul{.transpose_b = true, .alpha = 1.0 / std::sqrt(static_cast<double>(width))},
      {q, k}, scores_shape);
  if (masks.attention != kNoValue) {
    scores = Masked(lowering, scores, AttentionMask(lowering, shape, masks.attention));
  }
  if (masks.key_padding != kNoValue) {
    scores = Masked(lowering, scores, KeyPaddingMask(lowering, shape, masks.key_padding));
  }
  const ValueId weights = lowering.Add(backend::Softmax{.axis = 3}, {scores}, scores_shape);
  const ValueId context =
      lowering.Add(backend::MatMul{}, {weights, v},
                   Shape{shape.batch, shape.num_heads, shape.query_length, width});
  return {.output = JoinHeads(lowering, shape, context), .weights = weights};
}

ValueId Project(Lowering& lowering, ValueId src, ValueId weight, ValueId bias) {
  const Shape shape = lowering.shape(src);
  const int64_t rows = shape.dim(0) * shape.dim(1);
  const int64_t out = lowering.shape(weight).dim(0);
  const ValueId flat = lowering.Reshape(src, Shape{rows, shape.dim(2)});
  const ValueId dst = lowering.Add(backend::InnerProduct{}, {flat, weight, bias}, Shape{rows, out});
  return lowering.Reshape(dst, Shape{shape.dim(0), shape.dim(1), out});
}

absl::Status CheckAttentionMask(std::string_view name, const Shape& mask,
                                const MaskShapes& shapes) {
  const int64_t rows = !shapes.batched               ? shapes.num_heads
                       : shapes.batch == kUnknownDim ? kUnknownDim
                                                     : shapes.batch * shapes.num_heads;
  const Shape of_all{shapes.query_length, shapes.key_length};
  const bool fits = mask.rank() >= 2 && mask.rank() <= 3 &&
                    MayEqual(mask.dim(-1), shapes.key_length) &&
                    MayEqual(mask.dim(-2), shapes.query_length) &&
                    (mask.rank() == 2 || MayEqual(mask.dim(0), rows));
  if (fits) return absl::OkStatus();
  if (mask.rank() != 3) return WrongMask(name, of_all, mask);
  return WrongMask(name, Shape{rows, shapes.query_length, shapes.key_length}, mask);
}

absl::Status CheckKeyPaddingMask(std::string_view name, const Shape& mask,
                                 const MaskShapes& shapes) {
  const Shape wanted =
      shapes.batched ? Shape{shapes.batch, shapes.key_length} : Shape{shapes.key_length};
  const bool fits = mask.rank() == wanted.rank() && MayEqual(mask.dim(-1), shapes.key_length) &&
                    (!shapes.batched || MayEqual(mask.dim(0), shapes.batch));
  return fits ? absl::OkStatus() : WrongMask(name, wanted, mask);
}

absl::Status CheckMaskDType(std::string_view name, DType mask, DType floating) {
  if (mask == DType::kBool || mask == floating) return absl::OkStatus();
  return InvalidArgument("wants {} of dtype BOOL or {}, got {}", name, Name(floating), Name(mask));
}

}  // namespace lazynet::nn
