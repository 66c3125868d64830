#include "service/handlers/infer_outputs.h"

#include <google/protobuf/arena.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "engine/core/status.h"
#include "service/handlers/infer_codec.h"
#include "service/handlers/output_delivery.h"
#include "service/handlers/timing_parameters.h"

namespace lazynet::handlers {

std::vector<Tensor> SliceItems(std::span<const Tensor> outputs, int64_t items, ItemRange range) {
  std::vector<Tensor> slices;
  for (const Tensor& output : outputs) {
    Shape shape = output.shape();
    const size_t item_bytes = output.bytes() / static_cast<size_t>(items);
    shape.set_dim(0, shape.dim(0) / items * range.count);
    slices.push_back(output.Part(std::move(shape), static_cast<size_t>(range.first) * item_bytes));
  }
  return slices;
}

absl::Status EncodeAnswer(const hosting::HostedNetwork& network, const InferRequest& request,
                          const CheckedRequest& checked, std::span<const Tensor> outputs,
                          const hosting::RequestTimes* times, grpc::ByteBuffer& answer) {
  // Holds a message of the usual size without another allocation.
  alignas(std::max_align_t) std::array<char, 1024> block;
  google::protobuf::Arena arena(block.data(), block.size());
  auto& message = *google::protobuf::Arena::CreateMessage<inference::ModelInferResponse>(&arena);
  message.set_model_name(network.network().name());
  message.set_model_version(std::to_string(network.version()));
  message.set_id(request.message.id());
  if (times != nullptr) AddTiming(*times, message);
  absl::InlinedVector<Tensor, 4> sent;
  for (size_t i = 0; i < checked.outputs.size(); ++i) {
    const int index = checked.outputs[i];
    ASSIGN_OR_RETURN(sent.emplace_back(),
                     DeliverOutput(network, index, outputs[static_cast<size_t>(index)],
                                   checked.deliveries[i], *message.add_outputs()));
  }
  EncodeInferResponse(message, sent, answer);
  return absl::OkStatus();
}

}  // namespace lazynet::handlers
