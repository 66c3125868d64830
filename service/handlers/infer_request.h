#pragma once

#include <google/protobuf/arena.h>

#include <array>
#include <cstddef>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "proto/inference.pb.h"
#include "service/handlers/shared_memory.h"
#include "service/handlers/wire.h"

namespace lazynet::handlers {

// A ModelInferRequest whose raw_input_contents still lie in the received message: only what is
// small is parsed, so that a large payload is touched once, when it is gathered into its tensor.
struct InferRequest {
  InferRequest() = default;
  InferRequest(const InferRequest&) = delete;
  InferRequest& operator=(const InferRequest&) = delete;

  // A raw_input_contents entry: a reader that stands at its first byte.
  struct RawContents {
    SliceReader reader;
    size_t bytes = 0;
  };
  using AllRawContents = absl::InlinedVector<RawContents, 2>;

  // Holds a message of the usual size without another allocation.
  alignas(std::max_align_t) std::array<char, 1536> block;
  google::protobuf::Arena arena{block.data(), block.size()};

  // Without raw_input_contents.
  inference::ModelInferRequest& message =
      *google::protobuf::Arena::CreateMessage<inference::ModelInferRequest>(&arena);
  AllRawContents raw_contents;

  // Of each input, and each output, of the message; empty when none is in shared memory.
  std::vector<SharedMemorySlice> shared_inputs;
  std::vector<SharedMemorySlice> shared_outputs;
};

}  // namespace lazynet::handlers
