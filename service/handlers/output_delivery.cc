#include "service/handlers/output_delivery.h"

#include <memory>
#include <string>
#include <utility>

#include "engine/core/status.h"
#include "service/handlers/classification.h"

namespace lazynet::handlers {
namespace {

using InferOutputTensor = inference::ModelInferResponse::InferOutputTensor;

Tensor Nothing() { return Tensor::Wrap(DType::kUint8, Shape{0}, nullptr, nullptr); }

// Says in the answer where the output is, as the request did.
void DescribeRegion(const SharedMemorySlice& slice, size_t bytes, InferOutputTensor& described) {
  auto& parameters = *described.mutable_parameters();
  parameters["shared_memory_region"].set_string_param(slice.region->name());
  parameters["shared_memory_byte_size"].set_int64_param(static_cast<int64_t>(bytes));
  if (slice.offset > 0) {
    parameters["shared_memory_offset"].set_int64_param(static_cast<int64_t>(slice.offset));
  }
}

absl::Status WriteTo(const SharedMemorySlice& slice, const Tensor& output) {
  if (output.bytes() > slice.bytes) {
    return InvalidArgument("wants {} bytes of shared memory for {} {}, got {}", output.bytes(),
                           Name(output.dtype()), output.shape().ToString(), slice.bytes);
  }
  return slice.region->Write(slice.offset, {output.data(), output.bytes()});
}

void SetShape(const Shape& shape, InferOutputTensor& described) {
  for (const int64_t dim : shape.dims()) described.add_shape(dim);
}

}  // namespace

absl::StatusOr<Tensor> DeliverOutput(const hosting::HostedNetwork& network, int index,
                                     const Tensor& output, const OutputDelivery& delivery,
                                     InferOutputTensor& described) {
  const auto place = static_cast<size_t>(index);
  const std::string& name = network.network().outputs()[place].name;
  const auto where = [&] { return fmt::format("output \"{}\"", name); };
  described.set_name(name);
  if (delivery.classes > 0) {
    std::span<const std::string> labels;
    if (!network.labels().empty()) labels = network.labels()[place].names;
    auto classified = Classify(output.view(), delivery.classes, labels);
    if (!classified.ok()) return Annotate(where(), classified.status());
    described.set_datatype("BYTES");
    SetShape(classified->shape, described);
    return std::move(classified->payload);
  }
  described.set_datatype(std::string(Name(output.dtype())));
  SetShape(output.shape(), described);
  if (!delivery.region) return output;
  if (absl::Status status = WriteTo(delivery.region, output); !status.ok()) {
    return Annotate(where(), status);
  }
  DescribeRegion(delivery.region, output.bytes(), described);
  return Nothing();
}

}  // namespace lazynet::handlers
