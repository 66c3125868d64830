#include "service/cli/request.h"

#include <string>
#include <vector>

#include "service/cli/match_inputs.h"
#include "service/cli/text_format.h"

namespace lazynet::cli {
namespace {

using inference::ModelInferRequest;
using inference::ModelMetadataResponse;

// What stands in a message beside the elements, generously.
constexpr size_t kEnvelopeBytes = size_t{1} << 20;

// The specs in the order of the inputs.
absl::StatusOr<std::vector<const InputSpec*>> Assign(const Options& options,
                                                     const ModelMetadataResponse& metadata) {
  std::vector<std::string> names;
  for (const auto& input : metadata.inputs()) names.push_back(input.name());
  return MatchInputs(options.infer.inputs, names,
                     {fmt::format("model \"{}\"", options.model), "--input wants NAME=SPEC",
                      metadata.inputs().empty() ? "none" : text::TensorsText(metadata.inputs())});
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
  for (int i = 0; i < metadata.inputs_size(); ++i) {
    const auto& input = metadata.inputs(i);
    ASSIGN_OR_RETURN(Tensor tensor,
                     LoadInput(*specs[static_cast<size_t>(i)], input.name(), input.datatype()));
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
