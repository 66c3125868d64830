#include "engine/checkpoint/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <tuple>

#include "engine/checkpoint/common.h"
#include "engine/checkpoint/file.h"
#include "engine/checkpoint/safetensors_format.h"

namespace lazynet::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the data is used as it lies in the file");

// A tensor as the header describes it.
struct Record {
  std::string name;
  DType dtype = DType::kFp32;
  Shape::Dims dims;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Takes the header's JSON event by event, so that what a document tree would hide (duplicate keys,
// the spelling of numbers) is seen and nothing unexpected is stored. Each method returns false to
// stop the parser, and then status() says why. The objects are at most two deep, hence a place
// instead of a stack:
//
//   {  "__metadata__": { "key": "value", ... },   kTop -> kMetadata -> kMetadataKeys ->
//   kMetadataValue
//      "name": {                                  kTop -> kTensor -> kFields
//        "dtype": "F32",                            -> kDType
//        "shape": [2, 3],                           -> kShape -> kDims
//        "data_offsets": [0, 24] }, ...  }          -> kOffsets -> kOffsetValues
class HeaderHandler {
 public:
  using Json = nlohmann::json;

  explicit HeaderHandler(uint64_t data_bytes) : data_bytes_(data_bytes) {}

  const absl::Status& status() const { return status_; }
  std::vector<Record> TakeRecords() { return std::move(records_); }
  Metadata TakeMetadata() { return std::move(metadata_); }

  bool null() { return Unexpected("null"); }
  bool boolean(bool value) { return Unexpected(value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) {
    return Unexpected(value == 0 ? "-0" : std::to_string(value));
  }
  bool number_unsigned(Json::number_unsigned_t value) {
    if (place_ == Place::kDims) return Dim(value);
    if (place_ == Place::kOffsetValues) return Offset(value);
    return Unexpected(std::to_string(value));
  }
  bool number_float(Json::number_float_t /*value*/, const Json::string_t& text) {
    return Unexpected(text.size() <= kShownBytes ? text : text.substr(0, kShownBytes) + "...");
  }
  bool string(Json::string_t& value) {
    if (place_ == Place::kDType) return DTypeName(value);
    if (place_ == Place::kMetadataValue) {
      *metadata_value_ = std::move(value);
      place_ = Place::kMetadataKeys;
      return true;
    }
    return Unexpected(Quote(value, kShownBytes));
  }
  bool binary(Json::binary_t& /*value*/) { return Unexpected("binary data"); }

  bool start_object(size_t /*size*/) {
    switch (place_) {
      case Place::kHeader:
        place_ = Place::kTop;
        return true;
      case Place::kTensor:
        place_ = Place::kFields;
        return true;
      case Place::kMetadata:
        place_ = Place::kMetadataKeys;
        return true;
      default:
        return Unexpected("an object");
    }
  }
  bool key(Json::string_t& name) {
    switch (place_) {
      case Place::kTop:
        return name == kMetadataKey ? StartMetadata() : StartTensor(std::move(name));
      case Place::kFields:
        return Field(name);
      default:
        return MetadataKey(std::move(name));
    }
  }
  bool end_object() {
    if (place_ == Place::kFields && !FinishTensor()) return false;
    place_ = Place::kTop;
    return true;
  }

  bool start_array(size_t /*size*/) {
    if (place_ == Place::kShape) {
      place_ = Place::kDims;
      return true;
    }
    if (place_ == Place::kOffsets) {
      place_ = Place::kOffsetValues;
      return true;
    }
    return Unexpected("an array");
  }
  bool end_array() {
    if (place_ == Place::kOffsetValues && num_offsets_ != 2) {
      return Fail("{}: data_offsets wants [begin, end], got {} numbers", Where(), num_offsets_);
    }
    place_ = Place::kFields;
    return true;
  }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const Json::exception& error) {
    return Fail("header wants JSON: {}", JsonReason(error.what()));
  }

 private:
  enum class Place {
    kHeader,
    kTop,
    kTensor,
    kFields,
    kDType,
    kShape,
    kDims,
    kOffsets,
    kOffsetValues,
    kMetadata,
    kMetadataKeys,
    kMetadataValue,
  };
  enum FieldBit : unsigned { kSeenDType = 1, kSeenShape = 2, kSeenOffsets = 4 };
  static constexpr size_t kShownBytes = 40;

  template <typename... Args>
  bool Fail(fmt::format_string<Args...> format, Args&&... args) {
    status_ = InvalidArgument(format, std::forward<Args>(args)...);
    return false;
  }

  std::string Where() const { return fmt::format("tensor {}", Quote(records_.back().name)); }

  bool Unexpected(std::string_view got) {
    switch (place_) {
      case Place::kTensor:
        return Fail("{}: wants an object, got {}", Where(), got);
      case Place::kDType:
        return Fail("{}: dtype wants a string, got {}", Where(), got);
      case Place::kShape:
        return Fail("{}: shape wants an array, got {}", Where(), got);
      case Place::kDims:
        return Fail("{}: shape wants whole numbers from 0 to {}, got {}", Where(), kMaxDim, got);
      case Place::kOffsets:
        return Fail("{}: data_offsets wants [begin, end], got {}", Where(), got);
      case Place::kOffsetValues:
        return Fail("{}: data_offsets wants whole numbers from 0 to {}, got {}", Where(),
                    data_bytes_, got);
      case Place::kMetadata:
        return Fail("{}: wants an object, got {}", kMetadataKey, got);
      case Place::kMetadataValue:
        return Fail("{} {}: wants a string, got {}", kMetadataKey, Quote(metadata_key_), got);
      default:
        return Fail("header wants an object, got {}", got);
    }
  }

  bool StartMetadata() {
    if (seen_metadata_) return Fail("header wants {} once, got it twice", kMetadataKey);
    seen_metadata_ = true;
    place_ = Place::kMetadata;
    return true;
  }

  bool MetadataKey(std::string key) {
    if (metadata_.size() >= kMaxMetadataEntries) {
      return Fail("{}: wants at most {} entries, got more", kMetadataKey, kMaxMetadataEntries);
    }
    const auto [entry, added] = metadata_.try_emplace(key);
    if (!added) return Fail("{} {}: wants a key once, got it twice", kMetadataKey, Quote(key));
    metadata_value_ = &entry->second;
    metadata_key_ = std::move(key);
    place_ = Place::kMetadataValue;
    return true;
  }

  bool StartTensor(std::string name) {
    if (records_.size() >= kMaxTensors) {
      return Fail("header wants at most {} tensors, got more", kMaxTensors);
    }
    records_.emplace_back().name = std::move(name);
    seen_fields_ = 0;
    num_offsets_ = 0;
    place_ = Place::kTensor;
    return true;
  }

  bool Field(std::string_view name) {
    FieldBit bit;
    if (name == "dtype") {
      bit = kSeenDType;
      place_ = Place::kDType;
    } else if (name == "shape") {
      bit = kSeenShape;
      place_ = Place::kShape;
    } else if (name == "data_offsets") {
      bit = kSeenOffsets;
      place_ = Place::kOffsets;
    } else {
      return Fail("{}: wants the fields dtype, shape and data_offsets, got {}", Where(),
                  Quote(name));
    }
    if (seen_fields_ & bit) return Fail("{}: wants {} once, got it twice", Where(), name);
    seen_fields_ |= bit;
    return true;
  }

  bool DTypeName(std::string_view name) {
    const std::optional<DType> dtype = ParseSafetensorsDType(name);
    if (!dtype) {
      return Fail("{}: wants a dtype of {}; got {}", Where(), SafetensorsDTypes(), Quote(name));
    }
    records_.back().dtype = *dtype;
    place_ = Place::kFields;
    return true;
  }

  bool Dim(uint64_t value) {
    if (value > static_cast<uint64_t>(kMaxDim)) return Unexpected(std::to_string(value));
    Shape::Dims& dims = records_.back().dims;
    if (dims.size() == kMaxRank) {
      return Fail("{}: shape wants a rank of at most {}, got more", Where(), kMaxRank);
    }
    dims.push_back(static_cast<int64_t>(value));
    return true;
  }

  bool Offset(uint64_t value) {
    if (num_offsets_ == 2) return Fail("{}: data_offsets wants [begin, end], got more", Where());
    (num_offsets_++ == 0 ? records_.back().begin : records_.back().end) = value;
    return true;
  }

  bool FinishTensor() {
    const Record& record = records_.back();
    for (const auto& [bit, name] : {std::pair{kSeenDType, "dtype"}, std::pair{kSeenShape, "shape"},
                                    std::pair{kSeenOffsets, "data_offsets"}}) {
      if (!(seen_fields_ & bit)) return Fail("{}: wants a field {}, got none", Where(), name);
    }
    const std::span<const int64_t> dims(record.dims.data(), record.dims.size());
    const absl::StatusOr<size_t> bytes = CheckedByteSize(record.dtype, dims);
    if (!bytes.ok()) {
      status_ = Annotate(Where() + ": shape", bytes.status());
      return false;
    }
    if (record.begin > record.end) {
      return Fail("{}: data_offsets wants begin <= end, got [{}, {}]", Where(), record.begin,
                  record.end);
    }
    if (record.end > data_bytes_) {
      return Fail("{}: data_offsets wants an end within the data's {} bytes, got [{}, {}]", Where(),
                  data_bytes_, record.begin, record.end);
    }
    if (record.end - record.begin != *bytes) {
      return Fail("{}: {} {} wants {} bytes, got data_offsets [{}, {}]", Where(),
                  SafetensorsName(record.dtype), Shape(dims).ToString(), *bytes, record.begin,
                  record.end);
    }
    // CheckCover finds every overlap, but only at the end: do not read a long list of them.
    tensor_bytes_ += *bytes;
    if (tensor_bytes_ > data_bytes_) {
      return Fail(
          "{}: wants no overlap, but the tensors up to it have {} bytes and the data has {}",
          Where(), tensor_bytes_, data_bytes_);
    }
    return true;
  }

  const uint64_t data_bytes_;
  uint64_t tensor_bytes_ = 0;  // of all records read so far
  absl::Status status_;
  Place place_ = Place::kHeader;
  std::vector<Record> records_;  // the last one is being read
  unsigned seen_fields_ = 0;     // FieldBits of the last record
  int num_offsets_ = 0;
  bool seen_metadata_ = false;
  Metadata metadata_;
  std::string metadata_key_;
  std::string* metadata_value_ = nullptr;
};

struct Parts {
  std::string_view header;  // without its padding
  std::span<const std::byte> data;
};

absl::StatusOr<Parts> Split(std::span<const std::byte> bytes) {
  if (bytes.size() < kLengthBytes) {
    return InvalidArgument("wants a header length of {} bytes, got {} bytes in all", kLengthBytes,
                           bytes.size());
  }
  uint64_t length;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  const std::span<const std::byte> rest = bytes.subspan(kLengthBytes);
  if (length > kMaxHeaderBytes) {
    const std::string_view start(reinterpret_cast<const char*>(bytes.data()), kLengthBytes);
    return InvalidArgument("wants a header of at most {} bytes, got a length of {} (the bytes {})",
                           kMaxHeaderBytes, length, Quote(start));
  }
  if (length > rest.size()) {
    return InvalidArgument("wants a header of {} bytes, got {} bytes after its length", length,
                           rest.size());
  }
  std::string_view header(reinterpret_cast<const char*>(rest.data()), length);
  if (header.empty() || header.front() != '{') {
    return InvalidArgument("header wants to begin with '{{', got {}", Quote(header, 8));
  }
  // The JSON library takes NUL for the end of the text and would not see what follows.
  if (const size_t nul = header.find('\0'); nul != header.npos) {
    return InvalidArgument("header wants JSON, got a NUL byte at {}", nul);
  }
  header = header.substr(0, header.find_last_not_of(" \t\r\n") + 1);
  return Parts{header, rest.subspan(length)};
}

// INVALID_ARGUMENT unless each name comes once. The records are in the order of their names.
absl::Status CheckNames(std::span<const Record> records) {
  const auto same = [](const Record& a, const Record& b) { return a.name == b.name; };
  const auto twice = std::adjacent_find(records.begin(), records.end(), same);
  if (twice == records.end()) return absl::OkStatus();
  return InvalidArgument("tensor {}: wants a name once, got it twice", Quote(twice->name));
}

// INVALID_ARGUMENT unless the records cover the data without hole or overlap.
absl::Status CheckCover(std::span<const Record> records, uint64_t data_bytes) {
  std::vector<uint32_t> order(records.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::tie(records[a].begin, records[a].end) < std::tie(records[b].begin, records[b].end);
  });
  uint64_t covered = 0;
  for (const uint32_t i : order) {
    const Record& record = records[i];
    if (record.begin != covered) {
      return InvalidArgument("tensor {}: data_offsets [{}, {}] {}, wants a begin of {}",
                             Quote(record.name), record.begin, record.end,
                             record.begin < covered ? "overlap another tensor" : "leave a hole",
                             covered);
    }
    covered = record.end;
  }
  if (covered != data_bytes) {
    return InvalidArgument("data wants the {} bytes that the tensors cover, got {}", covered,
                           data_bytes);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::Open(
    const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  return Of(file);
}

absl::StatusOr<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::Of(
    const std::shared_ptr<const MappedFile>& file) {
  return Parse(file->bytes(), file, true);
}

const Tensor* SafetensorsFile::Find(std::string_view name) const {
  const auto found =
      std::lower_bound(tensors_.begin(), tensors_.end(), name,
                       [](const NamedTensor& entry, std::string_view n) { return entry.name < n; });
  return found != tensors_.end() && found->name == name ? &found->tensor : nullptr;
}

absl::StatusOr<std::shared_ptr<const SafetensorsFile>> ParseSafetensors(
    std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  return SafetensorsFile::Parse(bytes, owner, false);
}

absl::StatusOr<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::Parse(
    std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner, bool mapped) try {
  ASSIGN_OR_RETURN(const Parts parts, Split(bytes));
  const auto [header, data] = parts;
  HeaderHandler handler(data.size());
  if (!nlohmann::json::sax_parse(header.data(), header.data() + header.size(), &handler)) {
    LAZYNET_CHECK(!handler.status().ok());
    return handler.status();
  }
  std::vector<Record> records = handler.TakeRecords();
  std::sort(records.begin(), records.end(),
            [](const Record& a, const Record& b) { return a.name < b.name; });
  RETURN_IF_ERROR(CheckNames(records));
  RETURN_IF_ERROR(CheckCover(records, data.size()));

  std::vector<NamedTensor> tensors;
  tensors.reserve(records.size());
  for (Record& record : records) {
    auto tensor = ViewOrCopy(record.dtype, Shape(std::move(record.dims)), owner,
                             data.data() + record.begin, mapped);
    if (!tensor.ok()) {
      return Annotate(fmt::format("tensor {}", Quote(record.name)), tensor.status());
    }
    tensors.push_back({std::move(record.name), *std::move(tensor)});
  }
  return std::shared_ptr<const SafetensorsFile>(
      new SafetensorsFile(std::move(tensors), handler.TakeMetadata()));
} catch (const std::bad_alloc&) {
  return ResourceExhausted("no memory to read what {} bytes describe", bytes.size());
}

}  // namespace lazynet::checkpoint
