#include "service/handlers/state_dict_stream.h"

#include <algorithm>
#include <cstring>

namespace lazynet::handlers {
namespace {

// Of one message; well below gRPC's usual limit of 4 MiB.
constexpr size_t kPieceBytes = size_t{1} << 20;

// Names beyond what any network has are not worth keeping.
constexpr size_t kMaxEntries = 2 * nn::kMaxParameters;

absl::flat_hash_set<std::string> KeysOf(const nn::Network& network) {
  absl::flat_hash_set<std::string> keys;
  for (const nn::Node& node : network.nodes()) {
    for (size_t i = 0; i < node.parameters().size(); ++i) {
      keys.insert(node.ParameterName(static_cast<int>(i)));
    }
  }
  return keys;
}

bool WriteData(const Tensor& tensor, const std::function<bool(const v1::StateDictPart&)>& write) {
  for (size_t at = 0; at < tensor.bytes(); at += kPieceBytes) {
    v1::StateDictPart part;
    part.set_data(tensor.data() + at, std::min(kPieceBytes, tensor.bytes() - at));
    if (!write(part)) return false;
  }
  return true;
}

}  // namespace

absl::Status WriteStateDict(const nn::Network& network, const nn::ParameterSet& set,
                            const v1::GetStateDictRequest& request,
                            const std::function<bool(const v1::StateDictPart&)>& write) {
  const absl::flat_hash_set<std::string> wanted(request.keys().begin(), request.keys().end());
  const absl::flat_hash_set<std::string> keys = KeysOf(network);
  for (const std::string& key : wanted) {
    if (!keys.contains(key)) return InvalidArgument("the network has no parameter \"{}\"", key);
  }
  for (size_t at = 0; at < network.nodes().size(); ++at) {
    const nn::Node& node = network.nodes()[at];
    for (size_t i = 0; i < node.parameters().size(); ++i) {
      const int index = static_cast<int>(i);
      const std::string key = node.ParameterName(index);
      if (!wanted.empty() && !wanted.contains(key)) continue;
      v1::StateDictPart part;
      v1::StateDictEntry& entry = *part.mutable_entry();
      entry.set_key(key);
      entry.set_datatype(std::string(Name(node.ParameterDType(index))));
      const Shape shape = node.parameters()[i].ShapeFor(set.sizes()[at]);
      for (const int64_t dim : shape.dims()) entry.add_shape(dim);
      const auto& value = set.value(static_cast<int>(at), index);
      entry.set_uninitialized(!value);
      if (value) entry.set_byte_size(value->tensor.bytes());
      if (!write(part)) return absl::CancelledError("the client is gone");
      if (value && !request.without_values() && !WriteData(value->tensor, write)) {
        return absl::CancelledError("the client is gone");
      }
    }
  }
  return absl::OkStatus();
}

StateDictReader::StateDictReader(const nn::Network& network, size_t max_bytes)
    : keys_(KeysOf(network)), max_bytes_(max_bytes) {}

absl::Status StateDictReader::CheckComplete() const {
  if (missing_ == 0) return absl::OkStatus();
  return InvalidArgument("key \"{}\": {} bytes are missing", values_.back().first, missing_);
}

absl::Status StateDictReader::Add(const v1::StateDictEntry& entry) {
  RETURN_IF_ERROR(CheckComplete());
  if (values_.size() >= kMaxEntries) {
    return ResourceExhausted("wants at most {} entries, got one more", kMaxEntries);
  }
  values_.emplace_back(entry.key(), std::nullopt);
  next_ = nullptr;
  const std::string where = fmt::format("key \"{}\"", entry.key());
  if (entry.uninitialized()) {
    if (entry.byte_size() == 0) return absl::OkStatus();
    return InvalidArgument("{}: wants no bytes since it is uninitialized, got {}", where,
                           entry.byte_size());
  }
  const std::optional<DType> dtype = ParseDType(entry.datatype());
  if (!dtype) return InvalidArgument("{}: unknown datatype \"{}\"", where, entry.datatype());
  const std::span<const int64_t> dims(entry.shape().data(),
                                      static_cast<size_t>(entry.shape_size()));
  if (absl::Status status = CheckBounds(dims); !status.ok()) return Annotate(where, status);
  const Shape shape(dims);
  const size_t bytes = ByteSize(*dtype, shape);
  if (bytes != entry.byte_size()) {
    return InvalidArgument("{}: wants byte_size {} for {} {}, got {}", where, bytes, Name(*dtype),
                           shape.ToString(), entry.byte_size());
  }
  missing_ = bytes;
  if (!keys_.contains(entry.key())) return absl::OkStatus();
  bytes_ += bytes;
  if (bytes_ > max_bytes_) {
    return ResourceExhausted("{}: wants at most {} bytes of values, got {}", where, max_bytes_,
                             bytes_);
  }
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(*dtype, shape));
  next_ = tensor.mutable_view().data;
  values_.back().second = std::move(tensor);
  return absl::OkStatus();
}

absl::Status StateDictReader::Add(const std::string& data) {
  if (data.size() > missing_) {
    if (values_.empty()) return InvalidArgument("wants an entry before data");
    return InvalidArgument("key \"{}\": {} more bytes than byte_size says", values_.back().first,
                           data.size() - missing_);
  }
  missing_ -= data.size();
  if (next_ == nullptr) return absl::OkStatus();
  std::memcpy(next_, data.data(), data.size());
  next_ += data.size();
  return absl::OkStatus();
}

absl::StatusOr<nn::StateDict> StateDictReader::Finish() {
  RETURN_IF_ERROR(CheckComplete());
  for (const auto& [key, tensor] : values_) {
    if (!tensor || tensor->dtype() != DType::kBool) continue;
    const std::span<const std::byte> bytes(tensor->data(), tensor->bytes());
    if (std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; })) {
      return InvalidArgument("key \"{}\": wants BOOL bytes of 0 or 1", key);
    }
  }
  return std::move(values_);
}

}  // namespace lazynet::handlers
