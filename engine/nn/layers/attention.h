#pragma once

#include <cstdint>
#include <span>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// The sizes of a query and of what it attends to, and where their axes lie.
struct AttentionShape {
  int64_t batch = 1;
  int64_t query_length = 1;
  int64_t key_length = 1;
  int64_t embed_dim = 1;
  int64_t num_heads = 1;
  bool batch_first = false;
};

// What a query may not attend to, as torch.nn has it: BOOL, where true hides a key, or floating,
// which is added to the scores. kNoValue: everything.
struct AttentionMasks {
  backend::ValueId attention = backend::kNoValue;    // [L, S], or [N heads, L, S] head by head
  backend::ValueId key_padding = backend::kNoValue;  // [N, S]
};

struct Attended {
  backend::ValueId output;   // like the query
  backend::ValueId weights;  // [N, heads, L, S]
};

// Scaled dot-product attention of many heads, after the projections and before the last one.
// query [L, N, E], key and value [S, N, E], or batch-first [N, L, E] and [N, S, E]:
// softmax(q k^T / sqrt(E / heads) + masks) v, per head, heads side by side.
Attended Attend(Lowering& lowering, const AttentionShape& shape, backend::ValueId query,
                backend::ValueId key, backend::ValueId value, const AttentionMasks& masks = {});

// A sequence [L, E] as a batch of one, [L, 1, E] or batch-first [1, L, E]; others as they are.
backend::ValueId AsBatch(Lowering& lowering, backend::ValueId sequence, bool batch_first);

// x W^T + b over the last axis of x [A, B, in]; bias may be kNoValue.
backend::ValueId Project(Lowering& lowering, backend::ValueId src, backend::ValueId weight,
                         backend::ValueId bias);

// Scores with -inf where `hidden`, BOOL and of a shape that stretches to theirs, is true; or with
// it added, where it is floating.
backend::ValueId Masked(Lowering& lowering, backend::ValueId scores, backend::ValueId hidden);

// What the masks of a layer must be, for inputs of shapes that may have open dims. `batch` and the
// lengths may be kUnknownDim; without `batched` there is no N. INVALID_ARGUMENT names the mask.
struct MaskShapes {
  bool batched = true;
  int64_t batch = 1;
  int64_t query_length = 1;
  int64_t key_length = 1;
  int64_t num_heads = 1;
};
absl::Status CheckAttentionMask(std::string_view name, const Shape& mask, const MaskShapes& shapes);
absl::Status CheckKeyPaddingMask(std::string_view name, const Shape& mask,
                                 const MaskShapes& shapes);

// BOOL, or `floating`.
absl::Status CheckMaskDType(std::string_view name, DType mask, DType floating);

}  // namespace lazynet::nn
