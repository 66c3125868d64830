#pragma once

#include <vector>

#include "engine/nn/network.h"
#include "service/handlers/infer_codec.h"

namespace lazynet::handlers {

// A request against a network's signature, before any memory is taken for it.
struct CheckedRequest {
  // Per network input: which entry of the request it is, and its shape.
  std::vector<int> entries;
  std::vector<Shape> shapes;

  // The outputs asked for, as indices into the network's, in the request's order.
  std::vector<int> outputs;
};

// Names, datatypes, shapes, byte counts and output names. INVALID_ARGUMENT names the tensor, what
// was wanted and what came; UNIMPLEMENTED for extensions that are not served.
absl::StatusOr<CheckedRequest> CheckRequest(const nn::Network& network,
                                            const InferRequest& request);

// The inputs in the network's order, each copied once into aligned memory. RESOURCE_EXHAUSTED when
// the memory cannot be had.
absl::StatusOr<std::vector<Tensor>> GatherInputs(const nn::Network& network,
                                                 const InferRequest& request,
                                                 const CheckedRequest& checked);

}  // namespace lazynet::handlers
