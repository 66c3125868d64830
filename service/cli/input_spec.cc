#include "service/cli/input_spec.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <span>

#include "engine/checkpoint/file.h"
#include "engine/checkpoint/npy.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/core/float16.h"
#include "service/cli/shape_text.h"

namespace lazynet::cli {
namespace {

using Source = InputSpec::Source;

constexpr std::string_view kSafetensorsSuffix = ".safetensors";

// zeros, ones, random: what follows the colon.
absl::Status ParseFill(std::string_view text, InputSpec& spec) {
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const auto seed = ParseNumber<uint64_t>(text.substr(colon + 1));
    if (spec.source != Source::kRandom) {
      return InvalidArgument("wants nothing after the shape, got \"{}\"", text.substr(colon));
    }
    if (!seed) {
      return InvalidArgument("a seed wants to be a whole number, got \"{}\"",
                             text.substr(colon + 1));
    }
    spec.seed = *seed;
  }
  ASSIGN_OR_RETURN(spec.shape, ParseShape(text.substr(0, colon), 'x'));
  return absl::OkStatus();
}

absl::Status ParseRaw(std::string_view text, InputSpec& spec) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return InvalidArgument("raw wants a file and a shape, such as raw:x.bin:2x3; got \"raw:{}\"",
                           text);
  }
  spec.path = text.substr(0, colon);
  ASSIGN_OR_RETURN(spec.shape, ParseShape(text.substr(colon + 1), 'x'));
  return absl::OkStatus();
}

absl::Status ParseSource(std::string_view text, InputSpec& spec) {
  constexpr struct {
    std::string_view prefix;
    Source source;
  } kFills[] = {{"zeros:", Source::kZeros}, {"ones:", Source::kOnes}, {"random:", Source::kRandom}};
  for (const auto& fill : kFills) {
    if (!text.starts_with(fill.prefix)) continue;
    spec.source = fill.source;
    return ParseFill(text.substr(fill.prefix.size()), spec);
  }
  if (text.starts_with("raw:")) {
    spec.source = Source::kRaw;
    return ParseRaw(text.substr(4), spec);
  }
  if (text.ends_with(".npy")) {
    spec.source = Source::kNpy;
    spec.path = text;
    return absl::OkStatus();
  }
  spec.source = Source::kSafetensors;
  if (text.ends_with(kSafetensorsSuffix)) {
    spec.path = text;
    return absl::OkStatus();
  }
  const size_t suffix = text.find(fmt::format("{}:", kSafetensorsSuffix));
  if (suffix != std::string_view::npos) {
    spec.path = text.substr(0, suffix + kSafetensorsSuffix.size());
    spec.tensor = text.substr(spec.path.size() + 1);
    if (!spec.tensor.empty()) return absl::OkStatus();
    return InvalidArgument("wants a tensor's name after the last colon");
  }
  return InvalidArgument(
      "wants FILE.npy, FILE.safetensors[:TENSOR], raw:FILE:SHAPE, zeros:SHAPE, ones:SHAPE or "
      "random:SHAPE[:SEED]");
}

// What zeros, ones and random are made of.
absl::StatusOr<DType> KnownDType(const std::string& datatype) {
  if (const auto dtype = ParseDType(datatype)) return *dtype;
  return InvalidArgument("the model takes {}, which only a program can send", datatype);
}

absl::Status CheckBytes(size_t bytes) {
  if (bytes <= kMaxMessageBytes) return absl::OkStatus();
  return InvalidArgument("wants at most {} bytes, the most that a message carries; got {}",
                         kMaxMessageBytes, bytes);
}

template <typename T>
void FillWith(const MutableTensorView& view, T value) {
  auto* elements = reinterpret_cast<T*>(view.data);
  std::fill(elements, elements + view.shape.num_elements(), value);
}

void FillOnes(const MutableTensorView& view) {
  switch (view.dtype) {
    case DType::kFp16:
      return FillWith<uint16_t>(view, FloatToHalf(1));
    case DType::kBf16:
      return FillWith<uint16_t>(view, FloatToBfloat16(1));
    case DType::kFp32:
      return FillWith<float>(view, 1);
    case DType::kFp64:
      return FillWith<double>(view, 1);
    default:
      break;
  }
  switch (SizeOf(view.dtype)) {  // whole numbers and BOOL: signs do not matter
    case 1:
      return FillWith<uint8_t>(view, 1);
    case 2:
      return FillWith<uint16_t>(view, 1);
    case 4:
      return FillWith<uint32_t>(view, 1);
    default:
      return FillWith<uint64_t>(view, 1);
  }
}

// Uniform in [0, 1): as many leading bits of the generator as the type has significant ones, so
// that nothing is rounded up to 1. The standard's distributions differ between libraries; this does
// not.
template <typename T, typename Convert>
void FillRandom(const MutableTensorView& view, uint64_t seed, int bits, Convert convert) {
  std::mt19937_64 generator(seed);
  const double scale = 1.0 / static_cast<double>(uint64_t{1} << bits);
  auto* elements = reinterpret_cast<T*>(view.data);
  for (int64_t i = 0; i < view.shape.num_elements(); ++i) {
    elements[i] = convert(static_cast<double>(generator() >> (64 - bits)) * scale);
  }
}

absl::Status FillRandom(const MutableTensorView& view, uint64_t seed) {
  switch (view.dtype) {
    case DType::kFp16:
      FillRandom<uint16_t>(view, seed, 11,
                           [](double x) { return FloatToHalf(static_cast<float>(x)); });
      break;
    case DType::kBf16:
      FillRandom<uint16_t>(view, seed, 8,
                           [](double x) { return FloatToBfloat16(static_cast<float>(x)); });
      break;
    case DType::kFp32:
      FillRandom<float>(view, seed, 24, [](double x) { return static_cast<float>(x); });
      break;
    case DType::kFp64:
      FillRandom<double>(view, seed, 53, [](double x) { return x; });
      break;
    default:
      return InvalidArgument("random makes FP16, BF16, FP32 and FP64, and the model takes {}",
                             Name(view.dtype));
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> Make(const InputSpec& spec, const std::string& datatype) {
  ASSIGN_OR_RETURN(const DType dtype, KnownDType(datatype));
  RETURN_IF_ERROR(CheckBytes(ByteSize(dtype, spec.shape)));
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, spec.shape));
  const MutableTensorView view = tensor.mutable_view();
  if (spec.source == Source::kRandom) {
    RETURN_IF_ERROR(FillRandom(view, spec.seed));
  } else if (spec.source == Source::kOnes) {
    FillOnes(view);
  } else {
    FillWith<uint8_t>({DType::kUint8, Shape{static_cast<int64_t>(view.bytes())}, view.data}, 0);
  }
  return tensor;
}

absl::StatusOr<Tensor> ReadRaw(const InputSpec& spec, const std::string& datatype) {
  ASSIGN_OR_RETURN(const DType dtype, KnownDType(datatype));
  ASSIGN_OR_RETURN(auto file, checkpoint::MappedFile::Open(spec.path));
  const size_t wanted = ByteSize(dtype, spec.shape);
  if (file->bytes().size() != wanted) {
    return InvalidArgument("{} {} wants {} bytes, got {}", datatype, spec.shape.ToString(), wanted,
                           file->bytes().size());
  }
  return Tensor::Wrap(dtype, spec.shape, file, file->bytes().data());
}

absl::StatusOr<Tensor> ReadSafetensors(const InputSpec& spec, const std::string& input) {
  ASSIGN_OR_RETURN(auto file, checkpoint::SafetensorsFile::Open(spec.path));
  const std::string& wanted = spec.tensor.empty() ? input : spec.tensor;
  if (const Tensor* tensor = file->Find(wanted)) return *tensor;
  constexpr size_t kMostNames = 8;
  std::string names;
  for (size_t i = 0; i < std::min(file->tensors().size(), kMostNames); ++i) {
    names += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", file->tensors()[i].name);
  }
  if (file->tensors().size() > kMostNames) names += ", ...";
  return NotFound("wants a tensor \"{}\", has {} (FILE.safetensors:TENSOR takes another)", wanted,
                  names.empty() ? "none" : names);
}

absl::StatusOr<Tensor> Load(const InputSpec& spec, const std::string& name,
                            const std::string& datatype) {
  switch (spec.source) {
    case Source::kNpy:
      return checkpoint::ReadNpy(spec.path);
    case Source::kSafetensors:
      return ReadSafetensors(spec, name);
    case Source::kRaw:
      return ReadRaw(spec, datatype);
    default:
      return Make(spec, datatype);
  }
}

}  // namespace

absl::StatusOr<InputSpec> ParseInputSpec(std::string_view text) {
  InputSpec spec;
  std::string_view source = text;
  absl::Status status;
  if (const size_t equals = text.find('='); equals != std::string_view::npos) {
    spec.name = text.substr(0, equals);
    source.remove_prefix(equals + 1);
    if (spec.name.empty()) status = InvalidArgument("wants a name before =");
  }
  if (status.ok()) status = ParseSource(source, spec);
  if (!status.ok()) return Annotate(fmt::format("--input \"{}\"", text), status);
  return spec;
}

absl::StatusOr<Rows> ParseRows(std::string_view text) {
  const auto wrong = [&] {
    return InvalidArgument(
        "--slice wants rows as BEGIN:END with BEGIN < END, such as 0:8; got \"{}\"", text);
  };
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong();
  const std::string_view begin = text.substr(0, colon);
  const std::string_view end = text.substr(colon + 1);
  Rows rows;
  if (!begin.empty()) {
    const auto value = ParseNumber<int64_t>(begin);
    if (!value) return wrong();
    rows.begin = *value;
  }
  if (!end.empty()) {
    rows.end = ParseNumber<int64_t>(end);
    if (!rows.end || *rows.end <= rows.begin) return wrong();
  }
  return rows;
}

absl::StatusOr<Tensor> LoadInput(const InputSpec& spec, const std::string& name,
                                 const std::string& datatype) {
  auto tensor = Load(spec, name, datatype);
  if (tensor.ok()) return tensor;
  const std::string file = spec.path.empty() ? "" : fmt::format(": {}", spec.path);
  return Annotate(fmt::format("input \"{}\"{}", name, file), tensor.status());
}

absl::StatusOr<Tensor> SliceRows(const Tensor& tensor, const Rows& rows) {
  if (tensor.shape().rank() == 0) return InvalidArgument("--slice wants rows, got a scalar");
  const int64_t count = tensor.shape().dim(0);
  const int64_t end = rows.end.value_or(count);
  if (rows.begin >= count || end > count) {
    return InvalidArgument("--slice wants rows {} to {}, got {} rows in {}", rows.begin,
                           rows.end ? std::to_string(end) : "the last", count,
                           tensor.shape().ToString());
  }
  const size_t row_bytes = tensor.bytes() / static_cast<size_t>(count);
  Shape shape = tensor.shape();
  shape.set_dim(0, end - rows.begin);
  return Tensor::Wrap(tensor.dtype(), std::move(shape), std::make_shared<Tensor>(tensor),
                      tensor.data() + static_cast<size_t>(rows.begin) * row_bytes);
}

}  // namespace lazynet::cli
