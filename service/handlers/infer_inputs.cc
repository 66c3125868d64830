#include "service/handlers/infer_inputs.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "engine/core/status.h"
#include "service/handlers/classification.h"

namespace lazynet::handlers {
namespace {

using InputTensor = inference::ModelInferRequest::InferInputTensor;
using Contents = inference::InferTensorContents;

// Calls with the typed field that holds elements of a dtype, and its name; nothing for 16-bit
// floats, which only come raw.
template <typename Function>
void VisitTyped(const Contents& contents, DType dtype, const Function& function) {
  switch (dtype) {
    case DType::kBool:
      return function(contents.bool_contents(), "bool_contents");
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
      return function(contents.uint_contents(), "uint_contents");
    case DType::kUint64:
      return function(contents.uint64_contents(), "uint64_contents");
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
      return function(contents.int_contents(), "int_contents");
    case DType::kInt64:
      return function(contents.int64_contents(), "int64_contents");
    case DType::kFp32:
      return function(contents.fp32_contents(), "fp32_contents");
    case DType::kFp64:
      return function(contents.fp64_contents(), "fp64_contents");
    case DType::kFp16:
    case DType::kBf16:
      return;
  }
}

// Elements in the typed field of a dtype, and the field's name.
std::pair<int, std::string_view> TypedCount(const Contents& contents, DType dtype) {
  std::pair<int, std::string_view> counted{0, "raw_input_contents"};
  VisitTyped(contents, dtype, [&](const auto& field, std::string_view name) {
    counted = {field.size(), name};
  });
  return counted;
}

template <typename T>
const auto& FieldOf(const Contents& contents) {
  if constexpr (std::is_same_v<T, bool>)
    return contents.bool_contents();
  else if constexpr (std::is_same_v<T, float>)
    return contents.fp32_contents();
  else if constexpr (std::is_same_v<T, double>)
    return contents.fp64_contents();
  else if constexpr (std::is_same_v<T, int64_t>)
    return contents.int64_contents();
  else if constexpr (std::is_same_v<T, uint64_t>)
    return contents.uint64_contents();
  else if constexpr (std::is_signed_v<T>)
    return contents.int_contents();
  else
    return contents.uint_contents();
}

// INVALID_ARGUMENT for a number that the dtype cannot hold.
template <typename T>
absl::Status CheckTyped(const nn::NetworkInput& input, const Contents& contents) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    for (const auto element : FieldOf<T>(contents)) {
      if (std::in_range<T>(element)) continue;
      return InvalidArgument("input \"{}\": wants elements of {}, got {}", input.name,
                             Name(input.dtype), element);
    }
  }
  return absl::OkStatus();
}

// Calls with a value of the C++ type of a dtype; with none for 16-bit floats, which only come raw.
template <typename Function>
absl::Status VisitType(DType dtype, const Function& function) {
  switch (dtype) {
    case DType::kBool:
      return function(bool());
    case DType::kUint8:
      return function(uint8_t());
    case DType::kUint16:
      return function(uint16_t());
    case DType::kUint32:
      return function(uint32_t());
    case DType::kUint64:
      return function(uint64_t());
    case DType::kInt8:
      return function(int8_t());
    case DType::kInt16:
      return function(int16_t());
    case DType::kInt32:
      return function(int32_t());
    case DType::kInt64:
      return function(int64_t());
    case DType::kFp64:
      return function(double());
    case DType::kFp32:
      return function(float());
    case DType::kFp16:
    case DType::kBf16:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

// No C++ bool may hold anything else than 0 and 1.
absl::Status CheckBools(const nn::NetworkInput& input, const SliceReader& reader, size_t bytes) {
  const std::optional<std::byte> bad = reader.FindAbove(std::byte{1}, bytes);
  if (!bad) return absl::OkStatus();
  return InvalidArgument("input \"{}\": wants BOOL bytes of 0 or 1, got {}", input.name,
                         std::to_integer<int>(*bad));
}

int AllTypedCounts(const Contents& c) {
  return c.bool_contents_size() + c.int_contents_size() + c.int64_contents_size() +
         c.uint_contents_size() + c.uint64_contents_size() + c.fp32_contents_size() +
         c.fp64_contents_size() + c.bytes_contents_size();
}

bool IsShared(const InferRequest& request, int entry) {
  return !request.shared_inputs.empty() &&
         static_cast<bool>(request.shared_inputs[static_cast<size_t>(entry)]);
}

// The raw contents of an input that is not in shared memory; null if it has none.
const InferRequest::RawContents* RawContentsOf(const InferRequest& request, int entry) {
  if (request.raw_contents.empty()) return nullptr;
  int index = entry;
  if (!request.shared_inputs.empty()) {
    for (int before = 0; before < entry; ++before) index -= IsShared(request, before) ? 1 : 0;
  }
  return &request.raw_contents[static_cast<size_t>(index)];
}

absl::Status CheckByteCount(const nn::NetworkInput& input, const Shape& shape, size_t got) {
  const size_t wanted = ByteSize(input.dtype, shape);
  if (got == wanted) return absl::OkStatus();
  return InvalidArgument("input \"{}\": wants {} bytes for {} {}, got {}", input.name, wanted,
                         Name(input.dtype), shape.ToString(), got);
}

absl::Status CheckData(const nn::NetworkInput& input, const InputTensor& tensor, int entry,
                       const Shape& shape, const InferRequest& request) {
  const auto elements = static_cast<size_t>(shape.num_elements());
  if (IsShared(request, entry)) {
    if (tensor.has_contents()) {
      return InvalidArgument("input \"{}\": wants shared memory or contents, got both", input.name);
    }
    return CheckByteCount(input, shape, request.shared_inputs[static_cast<size_t>(entry)].bytes);
  }
  if (const InferRequest::RawContents* raw = RawContentsOf(request, entry)) {
    if (tensor.has_contents()) {
      return InvalidArgument("input \"{}\": wants raw or typed contents, got both", input.name);
    }
    RETURN_IF_ERROR(CheckByteCount(input, shape, raw->bytes));
    return input.dtype == DType::kBool ? CheckBools(input, raw->reader, raw->bytes)
                                       : absl::OkStatus();
  }
  const auto [typed, field] = TypedCount(tensor.contents(), input.dtype);
  if (AllTypedCounts(tensor.contents()) != typed) {
    return InvalidArgument("input \"{}\": wants its contents in {}, got another field", input.name,
                           field);
  }
  if (static_cast<size_t>(typed) != elements) {
    return InvalidArgument("input \"{}\": wants {} elements for shape {}, got {}", input.name,
                           elements, shape.ToString(), typed);
  }
  return VisitType(input.dtype,
                   [&]<typename T>(T) { return CheckTyped<T>(input, tensor.contents()); });
}

absl::StatusOr<Shape> CheckInput(const nn::NetworkInput& input, const InputTensor& tensor,
                                 int entry, const InferRequest& request) {
  if (!IsShared(request, entry) && tensor.parameters().contains("shared_memory_region")) {
    return Unimplemented("input \"{}\": shared memory is not served here", input.name);
  }
  if (tensor.datatype() != Name(input.dtype)) {
    return InvalidArgument("input \"{}\": wants datatype {}, got \"{}\"", input.name,
                           Name(input.dtype), tensor.datatype());
  }
  const std::span<const int64_t> dims(tensor.shape().data(),
                                      static_cast<size_t>(tensor.shape_size()));
  if (absl::Status status = CheckBounds(dims); !status.ok()) {
    return Annotate(fmt::format("input \"{}\"", input.name), status);
  }
  Shape shape(dims);
  RETURN_IF_ERROR(CheckData(input, tensor, entry, shape, request));
  return shape;
}

std::vector<std::string> Names(const std::vector<nn::NetworkInput>& inputs) {
  std::vector<std::string> names;
  for (const auto& input : inputs) names.push_back(input.name);
  return names;
}

absl::StatusOr<CheckedRequest::Places> MatchInputs(const nn::Network& network,
                                                   const inference::ModelInferRequest& message) {
  CheckedRequest::Places entries(network.inputs().size(), -1);
  for (int entry = 0; entry < message.inputs_size(); ++entry) {
    const std::string& name = message.inputs(entry).name();
    const auto found = std::find_if(network.inputs().begin(), network.inputs().end(),
                                    [&](const auto& input) { return input.name == name; });
    if (found == network.inputs().end()) {
      return InvalidArgument("unknown input \"{}\": the network has {}", name,
                             fmt::join(Names(network.inputs()), ", "));
    }
    int& slot = entries[static_cast<size_t>(found - network.inputs().begin())];
    if (slot >= 0) return InvalidArgument("input \"{}\" is there twice", name);
    slot = entry;
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i] < 0) {
      return InvalidArgument("input \"{}\" is missing: wants {} inputs, got {}",
                             network.inputs()[i].name, entries.size(), message.inputs_size());
    }
  }
  return entries;
}

absl::Status ReadShared(const nn::NetworkInput& input, const SharedMemorySlice& slice,
                        const MutableTensorView& view) {
  const absl::Status read = slice.region->Read(slice.offset, {view.data, view.bytes()});
  if (!read.ok()) return Annotate(fmt::format("input \"{}\"", input.name), read);
  if (view.dtype != DType::kBool) return absl::OkStatus();
  const grpc::Slice bytes(view.data, view.bytes(), grpc::Slice::STATIC_SLICE);
  return CheckBools(input, SliceReader({bytes}), view.bytes());
}

// How the request wants its output of this place.
absl::StatusOr<OutputDelivery> ReadDelivery(const InferRequest& request, int place) {
  const auto& output = request.message.outputs(place);
  OutputDelivery delivery;
  ASSIGN_OR_RETURN(delivery.classes, ReadClassification(output));
  if (!request.shared_outputs.empty()) {
    delivery.region = request.shared_outputs[static_cast<size_t>(place)];
  }
  if (delivery.classes > 0 && delivery.region) {
    return InvalidArgument("output \"{}\": wants classification or shared memory, got both",
                           output.name());
  }
  return delivery;
}

absl::Status MatchOutputs(const nn::Network& network, const InferRequest& request,
                          CheckedRequest& checked) {
  CheckedRequest::Places& outputs = checked.outputs;
  for (int place = 0; place < request.message.outputs_size(); ++place) {
    const auto& wanted = request.message.outputs(place);
    const auto found = std::find_if(network.outputs().begin(), network.outputs().end(),
                                    [&](const auto& out) { return out.name == wanted.name(); });
    if (found == network.outputs().end()) {
      return InvalidArgument("unknown output \"{}\"", wanted.name());
    }
    const int index = static_cast<int>(found - network.outputs().begin());
    if (std::find(outputs.begin(), outputs.end(), index) != outputs.end()) {
      return InvalidArgument("output \"{}\" is asked for twice", wanted.name());
    }
    ASSIGN_OR_RETURN(OutputDelivery delivery, ReadDelivery(request, place));
    outputs.push_back(index);
    checked.deliveries.push_back(std::move(delivery));
  }
  if (outputs.empty()) {
    for (size_t i = 0; i < network.outputs().size(); ++i) outputs.push_back(static_cast<int>(i));
    checked.deliveries.resize(outputs.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CheckedRequest> CheckRequest(const nn::Network& network,
                                            const InferRequest& request) {
  CheckedRequest checked;
  ASSIGN_OR_RETURN(checked.entries, MatchInputs(network, request.message));
  const size_t raw = request.raw_contents.size();
  auto not_shared = static_cast<size_t>(request.message.inputs_size());
  for (const SharedMemorySlice& slice : request.shared_inputs) {
    if (slice) --not_shared;
  }
  if (raw > 0 && raw != not_shared) {
    return InvalidArgument(
        "wants one raw_input_contents entry for each of the {} inputs{}, got {}", not_shared,
        request.shared_inputs.empty() ? "" : " that are not in shared memory", raw);
  }
  for (size_t i = 0; i < network.inputs().size(); ++i) {
    const int entry = checked.entries[i];
    ASSIGN_OR_RETURN(Shape shape, CheckInput(network.inputs()[i], request.message.inputs(entry),
                                             entry, request));
    checked.shapes.push_back(std::move(shape));
  }
  RETURN_IF_ERROR(MatchOutputs(network, request, checked));
  return checked;
}

absl::Status FindSharedMemory(const SharedMemory& memory, InferRequest& request) {
  const auto find = [&](std::string_view kind, const auto& tensor, SharedMemorySlice& slice) {
    if (tensor.parameters().empty()) return absl::OkStatus();
    auto found = memory.Find(tensor.parameters());
    if (!found.ok()) {
      return Annotate(fmt::format("{} \"{}\"", kind, tensor.name()), found.status());
    }
    slice = *std::move(found);
    return absl::OkStatus();
  };
  const auto is_plain = [](const auto& tensor) { return tensor.parameters().empty(); };
  const auto& message = request.message;
  if (!std::all_of(message.inputs().begin(), message.inputs().end(), is_plain)) {
    request.shared_inputs.resize(static_cast<size_t>(message.inputs_size()));
  }
  if (!std::all_of(message.outputs().begin(), message.outputs().end(), is_plain)) {
    request.shared_outputs.resize(static_cast<size_t>(message.outputs_size()));
  }
  size_t bytes = 0;
  for (size_t i = 0; i < request.shared_inputs.size(); ++i) {
    SharedMemorySlice& slice = request.shared_inputs[i];
    RETURN_IF_ERROR(find("input", message.inputs(static_cast<int>(i)), slice));
    if (slice.bytes > memory.max_request_bytes() - bytes) {
      return ResourceExhausted("wants inputs of at most {} bytes in shared memory, got more",
                               memory.max_request_bytes());
    }
    bytes += slice.bytes;
  }
  for (size_t i = 0; i < request.shared_outputs.size(); ++i) {
    RETURN_IF_ERROR(
        find("output", message.outputs(static_cast<int>(i)), request.shared_outputs[i]));
  }
  return absl::OkStatus();
}

absl::Status GatherInput(const nn::Network& network, size_t input, const InferRequest& request,
                         const CheckedRequest& checked, const MutableTensorView& view) {
  const int entry = checked.entries[input];
  if (IsShared(request, entry)) {
    return ReadShared(network.inputs()[input], request.shared_inputs[static_cast<size_t>(entry)],
                      view);
  }
  if (const InferRequest::RawContents* raw = RawContentsOf(request, entry)) {
    raw->reader.Peek(view.data, raw->bytes);
    return absl::OkStatus();
  }
  const Contents& contents = request.message.inputs(entry).contents();
  return VisitType(view.dtype, [&]<typename T>(T) {
    const auto& field = FieldOf<T>(contents);
    std::transform(field.begin(), field.end(), view.values<T>().begin(),
                   [](auto element) { return static_cast<T>(element); });
    return absl::OkStatus();
  });
}

}  // namespace lazynet::handlers
