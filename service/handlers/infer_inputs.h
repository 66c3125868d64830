#pragma once

#include <vector>

#include "absl/container/inlined_vector.h"
#include "engine/nn/network.h"
#include "service/handlers/infer_request.h"
#include "service/handlers/output_delivery.h"

namespace lazynet::handlers {

// A request against a network's signature, before any memory is taken for it.
struct CheckedRequest {
  using Places = absl::InlinedVector<int, 4>;

  // Per network input: which entry of the request it is, and its shape.
  Places entries;
  std::vector<Shape> shapes;

  // The outputs asked for, as indices into the network's, in the request's order.
  Places outputs;
  absl::InlinedVector<OutputDelivery, 2> deliveries;  // of each of them
};

// Finds the shared memory that the request's inputs and outputs name; before CheckRequest. Errors
// as SharedMemory::Find, with the tensor's name; RESOURCE_EXHAUSTED when the inputs are together
// larger than a message may be.
absl::Status FindSharedMemory(const SharedMemory& memory, InferRequest& request);

// Names, datatypes, shapes, byte counts, elements that their datatype cannot hold, and output
// names. INVALID_ARGUMENT names the tensor, what was wanted and what came; UNIMPLEMENTED for
// extensions that are not served.
absl::StatusOr<CheckedRequest> CheckRequest(const nn::Network& network,
                                            const InferRequest& request);

// Copies the network's input of this index, of a request that was checked, to a view of its shape.
// What is in shared memory clients may change at any time: FAILED_PRECONDITION when a client has
// shortened its own, INVALID_ARGUMENT for BOOL bytes that are none.
absl::Status GatherInput(const nn::Network& network, size_t input, const InferRequest& request,
                         const CheckedRequest& checked, const MutableTensorView& view);

}  // namespace lazynet::handlers
