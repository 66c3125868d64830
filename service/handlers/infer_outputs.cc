#include "service/handlers/infer_outputs.h"

#include <memory>
#include <string>
#include <utility>

namespace lazynet::handlers {

std::vector<Tensor> SliceItems(std::span<const Tensor> outputs, int64_t items, ItemRange range) {
  std::vector<Tensor> slices;
  for (const Tensor& output : outputs) {
    Shape shape = output.shape();
    const size_t item_bytes = output.bytes() / static_cast<size_t>(items);
    shape.set_dim(0, shape.dim(0) / items * range.count);
    slices.push_back(Tensor::Wrap(output.dtype(), std::move(shape),
                                  std::make_shared<Tensor>(output),
                                  output.data() + static_cast<size_t>(range.first) * item_bytes));
  }
  return slices;
}

grpc::ByteBuffer EncodeAnswer(const hosting::HostedNetwork& network, const InferRequest& request,
                              const CheckedRequest& checked, std::span<const Tensor> outputs) {
  inference::ModelInferResponse message;
  message.set_model_name(network.network().name());
  message.set_model_version(std::to_string(network.version()));
  message.set_id(request.message.id());
  std::vector<Tensor> sent;
  for (const int index : checked.outputs) {
    const Tensor& output = outputs[static_cast<size_t>(index)];
    auto& described = *message.add_outputs();
    described.set_name(network.network().outputs()[static_cast<size_t>(index)].name);
    described.set_datatype(std::string(Name(output.dtype())));
    for (const int64_t dim : output.shape().dims()) described.add_shape(dim);
    sent.push_back(output);
  }
  return EncodeInferResponse(message, sent);
}

}  // namespace lazynet::handlers
