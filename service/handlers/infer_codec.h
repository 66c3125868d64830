#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <span>
#include <string>

#include "absl/status/status.h"
#include "engine/core/tensor.h"
#include "service/handlers/infer_request.h"

namespace lazynet::handlers {

// Accepts and refuses what ModelInferRequest's generated parser does, with equal results, within
// RequestBounds. `request` is a new one. INVALID_ARGUMENT when the bytes are no such message or
// beyond those.
absl::Status DecodeInferRequest(const grpc::ByteBuffer& bytes, InferRequest& request);

// A tensor's bytes, not none, where they lie; the slice keeps the tensor.
grpc::Slice SliceOf(Tensor tensor);

// Puts into `response`, as copies of a ByteBuffer cost, the message with one raw_output_contents
// entry per tensor, sent from where the tensors lie.
void EncodeInferResponse(const inference::ModelInferResponse& message,
                         std::span<const Tensor> outputs, grpc::ByteBuffer& response);

// A ModelStreamInferResponse around the bytes of a ModelInferResponse, and one that says what was
// wrong with the request of this id; both marked as the last one of their request.
grpc::ByteBuffer EncodeStreamResponse(const grpc::ByteBuffer& response);
grpc::ByteBuffer EncodeStreamError(const std::string& id, const std::string& message);

}  // namespace lazynet::handlers
