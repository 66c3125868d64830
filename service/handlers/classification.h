#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/core/tensor.h"
#include "proto/inference.pb.h"

namespace lazynet::handlers {

// The most likely classes of an output, as a BYTES tensor: texts "score:index", or
// "score:index:label" where the class has a label, the highest score first.
struct Classification {
  Shape shape;     // [items, classes], or [classes] of an output without a batch axis
  Tensor payload;  // UINT8: each text behind its length in 4 bytes
};

// How many classes an output's parameters ask for; 0 when they do not. INVALID_ARGUMENT for a
// parameter of another type or below 1.
absl::StatusOr<int64_t> ReadClassification(
    const inference::ModelInferRequest::InferRequestedOutputTensor& output);

// The first axis of an output of rank 2 and more is the batch, all others together the classes of
// an item; an output of rank 0 or 1 is one item. At most `classes` for each item, or as many as
// there are; of equal scores the lower index is first, NaN last. Scores are written with six digits
// behind the point. INVALID_ARGUMENT for BOOL outputs, and for more texts than a million.
absl::StatusOr<Classification> Classify(const TensorView& output, int64_t classes,
                                        std::span<const std::string> labels);

}  // namespace lazynet::handlers
