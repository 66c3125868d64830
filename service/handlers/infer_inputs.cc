#include "service/handlers/infer_inputs.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "engine/core/status.h"

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
absl::Status CheckBools(const nn::NetworkInput& input, const InferRequest::RawContents& raw) {
  const std::optional<std::byte> bad = raw.reader.FindAbove(std::byte{1}, raw.bytes);
  if (!bad) return absl::OkStatus();
  return InvalidArgument("input \"{}\": wants BOOL bytes of 0 or 1, got {}", input.name,
                         std::to_integer<int>(*bad));
}

int AllTypedCounts(const Contents& c) {
  return c.bool_contents_size() + c.int_contents_size() + c.int64_contents_size() +
         c.uint_contents_size() + c.uint64_contents_size() + c.fp32_contents_size() +
         c.fp64_contents_size() + c.bytes_contents_size();
}

absl::Status CheckData(const nn::NetworkInput& input, const InputTensor& tensor, int entry,
                       const Shape& shape, const InferRequest& request) {
  const auto elements = static_cast<size_t>(shape.num_elements());
  if (!request.raw_contents.empty()) {
    if (tensor.has_contents()) {
      return InvalidArgument("input \"{}\": wants raw or typed contents, got both", input.name);
    }
    const size_t wanted = elements * SizeOf(input.dtype);
    const InferRequest::RawContents& raw = request.raw_contents[static_cast<size_t>(entry)];
    if (raw.bytes != wanted) {
      return InvalidArgument("input \"{}\": wants {} bytes for {} {}, got {}", input.name, wanted,
                             Name(input.dtype), shape.ToString(), raw.bytes);
    }
    return input.dtype == DType::kBool ? CheckBools(input, raw) : absl::OkStatus();
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
  if (tensor.parameters().contains("shared_memory_region")) {
    return Unimplemented("input \"{}\": shared memory is not served", input.name);
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

absl::StatusOr<std::vector<int>> MatchInputs(const nn::Network& network,
                                             const inference::ModelInferRequest& message) {
  std::vector<int> entries(network.inputs().size(), -1);
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

absl::StatusOr<std::vector<int>> MatchOutputs(const nn::Network& network,
                                              const inference::ModelInferRequest& message) {
  std::vector<int> outputs;
  for (const auto& wanted : message.outputs()) {
    const auto found = std::find_if(network.outputs().begin(), network.outputs().end(),
                                    [&](const auto& out) { return out.name == wanted.name(); });
    if (found == network.outputs().end()) {
      return InvalidArgument("unknown output \"{}\"", wanted.name());
    }
    const int index = static_cast<int>(found - network.outputs().begin());
    if (std::find(outputs.begin(), outputs.end(), index) != outputs.end()) {
      return InvalidArgument("output \"{}\" is asked for twice", wanted.name());
    }
    for (const char* extension : {"classification", "shared_memory_region"}) {
      if (wanted.parameters().contains(extension)) {
        return Unimplemented("output \"{}\": parameter {} is not served", wanted.name(), extension);
      }
    }
    outputs.push_back(index);
  }
  if (outputs.empty()) {
    for (size_t i = 0; i < network.outputs().size(); ++i) outputs.push_back(static_cast<int>(i));
  }
  return outputs;
}

}  // namespace

absl::StatusOr<CheckedRequest> CheckRequest(const nn::Network& network,
                                            const InferRequest& request) {
  CheckedRequest checked;
  ASSIGN_OR_RETURN(checked.entries, MatchInputs(network, request.message));
  const size_t raw = request.raw_contents.size();
  if (raw > 0 && raw != static_cast<size_t>(request.message.inputs_size())) {
    return InvalidArgument("wants one raw_input_contents entry for each of the {} inputs, got {}",
                           request.message.inputs_size(), raw);
  }
  for (size_t i = 0; i < network.inputs().size(); ++i) {
    const int entry = checked.entries[i];
    ASSIGN_OR_RETURN(Shape shape, CheckInput(network.inputs()[i], request.message.inputs(entry),
                                             entry, request));
    checked.shapes.push_back(std::move(shape));
  }
  ASSIGN_OR_RETURN(checked.outputs, MatchOutputs(network, request.message));
  return checked;
}

void GatherInput(size_t input, const InferRequest& request, const CheckedRequest& checked,
                 const MutableTensorView& view) {
  const auto entry = static_cast<size_t>(checked.entries[input]);
  if (!request.raw_contents.empty()) {
    const auto& raw = request.raw_contents[entry];
    raw.reader.Peek(view.data, raw.bytes);
    return;
  }
  const Contents& contents = request.message.inputs(static_cast<int>(entry)).contents();
  VisitType(view.dtype, [&]<typename T>(T) {
    const auto& field = FieldOf<T>(contents);
    std::transform(field.begin(), field.end(), view.values<T>().begin(),
                   [](auto element) { return static_cast<T>(element); });
    return absl::OkStatus();
  }).IgnoreError();
}

}  // namespace lazynet::handlers
