#include "service/cli/state_dict.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lazynet::cli {

absl::Status StateDictAssembler::Add(const v1::StateDictPart& part) {
  switch (part.part_case()) {
    case v1::StateDictPart::kEntry: {
      RETURN_IF_ERROR(Finish());
      const absl::Status status = Begin(part.entry());
      return status.ok() ? status : Annotate(fmt::format("key \"{}\"", part.entry().key()), status);
    }
    case v1::StateDictPart::kData:
      return Append(part.data());
    default:
      return Internal("wants an entry or its bytes, got neither");
  }
}

absl::Status StateDictAssembler::Finish() const {
  if (!item_) return absl::OkStatus();
  return Internal("key \"{}\": wants {} bytes more, got none", item_->key, wanted_.size());
}

absl::Status StateDictAssembler::Begin(const v1::StateDictEntry& entry) {
  if (!keys_.insert(entry.key()).second) return Internal("wants a key once, got it twice");
  const auto dtype = ParseDType(entry.datatype());
  if (!dtype) return Unimplemented("datatype {} cannot be read here", entry.datatype());
  const Shape shape(std::span<const int64_t>(entry.shape().data(), entry.shape().size()));
  item_ = StateDictItem{entry.key(), *dtype, shape, std::nullopt};
  if (entry.uninitialized()) {
    if (entry.byte_size() == 0) return Deliver();
    return Internal("wants 0 bytes without values, got {}", entry.byte_size());
  }
  RETURN_IF_ERROR(CheckBounds(shape.dims()));
  const size_t bytes = ByteSize(*dtype, shape);
  if (entry.byte_size() != bytes) {
    return Internal("{} {} wants {} bytes, got {}", entry.datatype(), shape.ToString(), bytes,
                    entry.byte_size());
  }
  ASSIGN_OR_RETURN(item_->values, Tensor::Allocate(*dtype, shape));
  wanted_ = {item_->values->mutable_view().data, bytes};
  return bytes == 0 ? Deliver() : absl::OkStatus();
}

absl::Status StateDictAssembler::Append(const std::string& bytes) {
  if (bytes.empty()) return absl::OkStatus();
  if (!item_ || bytes.size() > wanted_.size()) {
    return Internal("wants at most {} bytes, got {}", item_ ? wanted_.size() : 0, bytes.size());
  }
  std::memcpy(wanted_.data(), bytes.data(), bytes.size());
  wanted_ = wanted_.subspan(bytes.size());
  return wanted_.empty() ? Deliver() : absl::OkStatus();
}

absl::Status StateDictAssembler::Deliver() {
  StateDictItem item = *std::exchange(item_, std::nullopt);
  return take_(std::move(item));
}

bool StateDictMessages::Next(v1::LoadStateDictRequest& message) {
  message.Clear();
  if (!std::exchange(started_, true)) {
    *message.mutable_target() = target_;
    return true;
  }
  if (!bytes_.empty()) {
    const auto piece = bytes_.first(std::min(bytes_.size(), kPieceBytes));
    message.set_data(piece.data(), piece.size());
    bytes_ = bytes_.subspan(piece.size());
    return true;
  }
  if (next_ == tensors_.size()) return false;
  const auto& [name, tensor] = tensors_[next_++];
  v1::StateDictEntry& entry = *message.mutable_entry();
  entry.set_key(name);
  entry.set_datatype(std::string(Name(tensor.dtype())));
  for (const int64_t dim : tensor.shape().dims()) entry.add_shape(dim);
  entry.set_byte_size(tensor.bytes());
  bytes_ = {tensor.data(), tensor.bytes()};
  return true;
}

}  // namespace lazynet::cli
