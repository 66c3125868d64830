#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <span>
#include <vector>

#include "engine/core/tensor.h"
#include "service/handlers/infer_inputs.h"
#include "service/hosting/hosted_network.h"
#include "service/hosting/inference_statistics.h"

namespace lazynet::handlers {

// Some items of a batch.
struct ItemRange {
  int64_t first = 0;
  int64_t count = 1;
};

// What they have of the outputs for `items` in all, where it lies. Each output has as many
// neighbouring slices of axis 0 for one item as for another.
std::vector<Tensor> SliceItems(std::span<const Tensor> outputs, int64_t items, ItemRange range);

// Puts into `answer` the one to a request that was checked, with the outputs that it asks for, of
// all that the network has. It is sent from where the outputs lie. With `times`, it also says what
// they were. Errors as DeliverOutput's.
absl::Status EncodeAnswer(const hosting::HostedNetwork& network, const InferRequest& request,
                          const CheckedRequest& checked, std::span<const Tensor> outputs,
                          const hosting::RequestTimes* times, grpc::ByteBuffer& answer);

}  // namespace lazynet::handlers
