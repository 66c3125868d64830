#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/checkpoint/safetensors.h"
#include "engine/core/status.h"
#include "engine/core/tensor.h"
#include "proto/lazynet/v1/lazynet.pb.h"

// State dicts on their way to a server and from it.
namespace lazynet::cli {

// One key and what it stands for.
struct StateDictItem {
  std::string key;
  DType dtype = DType::kFp32;
  // kUnknownDim where a size is not known, which is only without values.
  Shape shape;
  // Nothing = uninitialized.
  std::optional<Tensor> values;
};

using TakeItem = std::function<absl::Status(StateDictItem)>;

// Puts the messages of GetStateDict together, in memory of each item's own.
class StateDictAssembler {
 public:
  // `take` gets each item when it is whole; its errors are passed on.
  explicit StateDictAssembler(TakeItem take) : take_(std::move(take)) {}

  // INTERNAL, or INVALID_ARGUMENT for a shape out of bounds, means that the messages break the
  // protocol; UNIMPLEMENTED that the datatype has no name here; RESOURCE_EXHAUSTED that there is no
  // memory for the values. Nothing more may be added then.
  absl::Status Add(const v1::StateDictPart& part);

  // INTERNAL if bytes are missing.
  absl::Status Finish() const;

 private:
  absl::Status Begin(const v1::StateDictEntry& entry);
  absl::Status Append(const std::string& bytes);
  absl::Status Deliver();

  TakeItem take_;
  std::set<std::string> keys_;
  // The item that wants more bytes, if any.
  std::optional<StateDictItem> item_;
  std::span<std::byte> wanted_;
};

// The messages of LoadStateDict, one after the other, made of the tensors as they are asked
// for.
class StateDictMessages {
 public:
  static constexpr size_t kPieceBytes = size_t{1} << 20;

  StateDictMessages(v1::LoadTarget target, std::vector<checkpoint::NamedTensor> tensors)
      : target_(std::move(target)), tensors_(std::move(tensors)) {}

  // False when there are no more.
  bool Next(v1::LoadStateDictRequest& message);

 private:
  v1::LoadTarget target_;
  std::vector<checkpoint::NamedTensor> tensors_;
  bool started_ = false;
  size_t next_ = 0;
  std::span<const std::byte> bytes_;  // still to be sent, of the tensor before `next_`
};

// What was written to a file.
struct SavedStateDict {
  std::string file;
  uint64_t file_bytes = 0;
  std::vector<std::string> keys;
  // Not in the file.
  std::vector<std::string> uninitialized_keys;
};

}  // namespace lazynet::cli
