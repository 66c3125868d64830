#include "service/cli/answer.h"

#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>

#include "engine/checkpoint/npy.h"
#include "engine/core/float16.h"

namespace lazynet::cli {
namespace {

namespace fs = std::filesystem;

using OutputMessage = inference::ModelInferResponse::InferOutputTensor;

absl::StatusOr<Tensor> ReadTensor(const OutputMessage& output, const std::string& bytes) {
  const auto dtype = ParseDType(output.datatype());
  if (!dtype) {
    return Unimplemented("datatype {} cannot be read here", output.datatype());
  }
  const std::span<const int64_t> dims(output.shape().data(), output.shape().size());
  RETURN_IF_ERROR(CheckBounds(dims));
  const Shape shape(dims);
  const size_t wanted = ByteSize(*dtype, shape);
  if (bytes.size() != wanted) {
    return Internal("{} {} wants {} bytes, got {}", output.datatype(), shape.ToString(), wanted,
                    bytes.size());
  }
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(*dtype, shape));
  if (wanted > 0) std::memcpy(tensor.mutable_view().data, bytes.data(), wanted);
  return tensor;
}

// A name that is a file's in one folder, and in no other.
bool IsFileName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

absl::Status WriteOutput(const fs::path& path, Output& output) {
  const absl::Status status = checkpoint::WriteNpy(path, output.tensor.view());
  if (!status.ok()) {
    return Annotate(fmt::format("output \"{}\": {}", output.name, path.string()), status);
  }
  output.file = path.string();
  return absl::OkStatus();
}

template <typename T>
T Load(const Tensor& tensor, int64_t index) {
  T value;
  std::memcpy(&value, tensor.data() + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

absl::StatusOr<Answer> ReadAnswer(const inference::ModelInferResponse& response) {
  if (response.raw_output_contents_size() != response.outputs_size()) {
    return Unimplemented("wants raw contents for each of {} outputs, got {}",
                         response.outputs_size(), response.raw_output_contents_size());
  }
  Answer answer{.model = response.model_name(),
                .version = response.model_version(),
                .id = response.id(),
                .outputs = {},
                .timing = ReadTiming(response)};
  for (int i = 0; i < response.outputs_size(); ++i) {
    const OutputMessage& output = response.outputs(i);
    auto tensor = ReadTensor(output, response.raw_output_contents(i));
    if (!tensor.ok()) return Annotate(fmt::format("output \"{}\"", output.name()), tensor.status());
    answer.outputs.push_back({output.name(), *std::move(tensor), ""});
  }
  return answer;
}

absl::Status WriteOutputs(const std::string& destination, Answer& answer) {
  const fs::path path(destination);
  if (path.extension() == ".npy") {
    if (answer.outputs.size() == 1) return WriteOutput(path, answer.outputs[0]);
    return InvalidArgument(
        "{} can hold one output, got {}; -o FOLDER takes all, --output NAME picks", destination,
        answer.outputs.size());
  }
  for (const Output& output : answer.outputs) {
    if (IsFileName(output.name)) continue;
    return InvalidArgument("output \"{}\" has a name that no file can have; -o FILE.npy takes it",
                           output.name);
  }
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return FailedPrecondition("{}: the folder cannot be made: {}", destination, error.message());
  }
  for (Output& output : answer.outputs) {
    RETURN_IF_ERROR(WriteOutput(path / (output.name + ".npy"), output));
  }
  return absl::OkStatus();
}

Element ElementAt(const Tensor& tensor, int64_t index) {
  switch (tensor.dtype()) {
    case DType::kBool:
      return Load<uint8_t>(tensor, index) != 0;
    case DType::kUint8:
      return uint64_t{Load<uint8_t>(tensor, index)};
    case DType::kUint16:
      return uint64_t{Load<uint16_t>(tensor, index)};
    case DType::kUint32:
      return uint64_t{Load<uint32_t>(tensor, index)};
    case DType::kUint64:
      return Load<uint64_t>(tensor, index);
    case DType::kInt8:
      return int64_t{Load<int8_t>(tensor, index)};
    case DType::kInt16:
      return int64_t{Load<int16_t>(tensor, index)};
    case DType::kInt32:
      return int64_t{Load<int32_t>(tensor, index)};
    case DType::kInt64:
      return Load<int64_t>(tensor, index);
    case DType::kFp16:
      return HalfToFloat(Load<uint16_t>(tensor, index));
    case DType::kBf16:
      return Bfloat16ToFloat(Load<uint16_t>(tensor, index));
    case DType::kFp32:
      return Load<float>(tensor, index);
    case DType::kFp64:
      break;
  }
  return Load<double>(tensor, index);
}

}  // namespace lazynet::cli
