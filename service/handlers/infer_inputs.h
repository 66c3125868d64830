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

// Names, datatypes, shapes, byte counts, elements that their datatype cannot hold, and output
// names. INVALID_ARGUMENT names the tensor, what was wanted and what came; UNIMPLEMENTED for
// extensions that are not served.
absl::StatusOr<CheckedRequest> CheckRequest(const nn::Network& network,
                                            const InferRequest& request);

// Copies the network's input of this index, of a request that was checked, to a view of its shape.
void GatherInput(size_t input, const InferRequest& request, const CheckedRequest& checked,
                 const MutableTensorView& view);

}  // namespace lazynet::handlers
