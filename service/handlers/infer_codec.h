#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/core/tensor.h"
#include "proto/inference.pb.h"
#include "service/handlers/shared_memory.h"
#include "service/handlers/wire.h"

namespace lazynet::handlers {

// A ModelInferRequest whose raw_input_contents still lie in the received message: only what is
// small is parsed, so that a large payload is touched once, when it is gathered into its tensor.
struct InferRequest {
  // A raw_input_contents entry: a reader that stands at its first byte.
  struct RawContents {
    SliceReader reader;
    size_t bytes = 0;
  };

  // An input in shared memory: where it lies, and its bytes once they are read.
  struct SharedInput {
    SharedMemorySlice slice;
    std::optional<RawContents> contents;
  };

  inference::ModelInferRequest message;  // without raw_input_contents
  std::vector<RawContents> raw_contents;

  // For each input, and each output, of the message; empty when none is in shared memory.
  std::vector<SharedInput> shared_inputs;
  std::vector<SharedMemorySlice> shared_outputs;
};

// Accepts and refuses what ModelInferRequest's generated parser does, with equal results, within
// RequestBounds. INVALID_ARGUMENT when the bytes are no such message or beyond those.
absl::StatusOr<InferRequest> DecodeInferRequest(const grpc::ByteBuffer& bytes);

// A tensor's bytes, not none, where they lie; the slice keeps the tensor.
grpc::Slice SliceOf(const Tensor& tensor);

// The response with one raw_output_contents entry per tensor, sent from where the tensors lie.
grpc::ByteBuffer EncodeInferResponse(const inference::ModelInferResponse& message,
                                     const std::vector<Tensor>& outputs);

// A ModelStreamInferResponse around the bytes of a ModelInferResponse, marked as the last one of
// its request; and one that says what was wrong with the request of this id.
grpc::ByteBuffer EncodeStreamResponse(const grpc::ByteBuffer& response);
grpc::ByteBuffer EncodeStreamError(const std::string& id, const std::string& message);

}  // namespace lazynet::handlers
