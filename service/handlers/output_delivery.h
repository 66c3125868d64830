#pragma once

#include <cstdint>

#include "proto/inference.pb.h"
#include "service/handlers/shared_memory.h"
#include "service/hosting/hosted_network.h"

namespace lazynet::handlers {

// How one output that is asked for is answered.
struct OutputDelivery {
  int64_t classes = 0;       // > 0: as the most likely classes, not as numbers
  SharedMemorySlice region;  // where it goes; none: into the answer
};

// Describes output `index` of the network in the answer, and gives what goes with it as raw
// content: the tensor itself, or its classes, or nothing when it was written to shared memory.
// INVALID_ARGUMENT when it has no classes or the region is too small for it, FAILED_PRECONDITION
// when that cannot be written.
absl::StatusOr<Tensor> DeliverOutput(const hosting::HostedNetwork& network, int index,
                                     const Tensor& output, const OutputDelivery& delivery,
                                     inference::ModelInferResponse::InferOutputTensor& described);

}  // namespace lazynet::handlers
