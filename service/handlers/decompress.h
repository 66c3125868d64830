#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>

#include "absl/status/status.h"
#include "service/handlers/request_memory.h"

namespace lazynet::handlers {

// Whether a message came compressed.
bool IsCompressed(grpc::ByteBuffer& message);

// Makes of a message that came compressed (gzip or deflate) what its client meant, unless that is
// longer than `max_bytes`: it is inflated no further than that, where gRPC would first make all of
// what may be a thousand times as much. `memory` takes as much. Other messages are left alone.
// RESOURCE_EXHAUSTED beyond the limit or when memory has no more, INVALID_ARGUMENT when it cannot
// be inflated.
absl::Status Decompress(grpc::ByteBuffer& message, size_t max_bytes, RequestMemory::Share& memory);

}  // namespace lazynet::handlers
