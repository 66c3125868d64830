#include "service/cli/request.h"

#include <map>
#include <string>

#include "engine/core/shape.h"

namespace lazynet::cli {
namespace {

using inference::ModelInferRequest;
using inference::ModelMetadataResponse;

// What stands in a message beside the elements, generously.
constexpr size_t kEnvelopeBytes = size_t{1} << 20;

// `input FP32 [?, 784], ...`
std::string Signature(const ModelMetadataResponse& metadata) {
  std::string text;
  for (const auto& input : metadata.inputs()) {
    const Shape shape(std::span<const int64_t>(input.shape().data(), input.shape().size()));
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", input.name(), input.datatype(),
                        shape.ToString());
  }
  return text.empty() ? "none" : text;
}

// The specs by the input they are for.
absl::StatusOr<std::map<std::string, const InputSpec*>> Assign(
    const Options& options, const ModelMetadataResponse& metadata) {
  std::map<std::string, const InputSpec*> assigned;
  for (const auto& input : metadata.inputs()) assigned[input.name()] = nullptr;
  for (const InputSpec& spec : options.infer.inputs) {
    if (spec.name.empty() && metadata.inputs_size() != 1) {
      return InvalidArgument(
          "model \"{}\" has {} inputs, so that --input wants NAME=SPEC; it takes {}", options.model,
          metadata.inputs_size(), Signature(metadata));
    }
    const std::string& name = spec.name.empty() ? metadata.inputs(0).name() : spec.name;
    const auto found = assigned.find(name);
    if (found == assigned.end()) {
      return InvalidArgument("model \"{}\" has no input \"{}\"; it takes {}", options.model, name,
                             Signature(metadata));
    }
    if (found->second != nullptr) return InvalidArgument("input \"{}\" is given twice", name);
    found->second = &spec;
  }
  for (const auto& [name, spec] : assigned) {
    if (spec == nullptr) {
      return InvalidArgument("input \"{}\" is not given; model \"{}\" takes {}", name,
                             options.model, Signature(metadata));
    }
  }
  return assigned;
}

void AddInput(const std::string& name, const Tensor& tensor, ModelInferRequest& request) {
  auto& input = *request.add_inputs();
  input.set_name(name);
  input.set_datatype(std::string(Name(tensor.dtype())));
  for (const int64_t dim : tensor.shape().dims()) input.add_shape(dim);
  request.add_raw_input_contents(tensor.data(), tensor.bytes());
}

}  // namespace

absl::StatusOr<ModelInferRequest> MakeRequest(const Options& options,
                                              const ModelMetadataResponse& metadata) {
  ASSIGN_OR_RETURN(const auto specs, Assign(options, metadata));
  ModelInferRequest request;
  request.set_model_name(options.model);
  request.set_model_version(options.version);
  request.set_id(options.infer.id);
  size_t bytes = kEnvelopeBytes;
  for (const auto& input : metadata.inputs()) {
    ASSIGN_OR_RETURN(Tensor tensor,
                     LoadInput(*specs.at(input.name()), input.name(), input.datatype()));
    if (options.infer.slice) {
      auto rows = SliceRows(tensor, *options.infer.slice);
      if (!rows.ok()) return Annotate(fmt::format("input \"{}\"", input.name()), rows.status());
      tensor = *std::move(rows);
    }
    bytes += tensor.bytes();
    if (bytes > kMaxMessageBytes) {
      return InvalidArgument("input \"{}\": {} bytes are too many: a message carries {}",
                             input.name(), tensor.bytes(), kMaxMessageBytes);
    }
    AddInput(input.name(), tensor, request);
  }
  for (const std::string& output : options.infer.outputs) request.add_outputs()->set_name(output);
  return request;
}

}  // namespace lazynet::cli
