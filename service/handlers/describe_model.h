#pragma once

#include "proto/inference.pb.h"
#include "service/hosting/hosted_network.h"

namespace lazynet::handlers {

// A hosted network as clients of the Open Inference Protocol know models. max_batch_size is 0, as
// the first axis of a tensor is no batch to every network: shapes are whole, -1 where a dim may
// vary, and [-1] for any shape.
inference::ModelConfig MakeModelConfig(const hosting::HostedNetwork& hosted, size_t lanes);

// Its requests since it is hosted, and its memory.
inference::ModelStatistics DescribeStatistics(const hosting::HostedNetwork& hosted);

}  // namespace lazynet::handlers
