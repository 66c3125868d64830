#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "engine/nn/parameter_set.h"
#include "proto/lazynet/v1/lazynet.pb.h"

// State dicts as streams of entries and pieces of their bytes.
namespace lazynet::handlers {

// Writes all parameters, or those with the keys asked for, in state-dict order. False when `write`
// was, which ends it. INVALID_ARGUMENT for a key that is none.
absl::Status WriteStateDict(const nn::Network& network, const nn::ParameterSet& set,
                            const v1::GetStateDictRequest& request,
                            const std::function<bool(const v1::StateDictPart&)>& write);

// Puts the pieces of a stream together. Memory is taken only for parameters that the network has,
// and not more than `max_bytes`; everything an entry says is checked first.
class StateDictReader {
 public:
  StateDictReader(const nn::Network& network, size_t max_bytes);

  // INVALID_ARGUMENT, with the key, for entries that contradict themselves, come before the one
  // before is complete, or are too many; RESOURCE_EXHAUSTED beyond the limit.
  absl::Status Add(const v1::StateDictEntry& entry);
  absl::Status Add(const std::string& data);

  // INVALID_ARGUMENT when bytes are missing.
  absl::StatusOr<nn::StateDict> Finish();

 private:
  absl::Status CheckComplete() const;

  const absl::flat_hash_set<std::string> keys_;
  const size_t max_bytes_;
  nn::StateDict values_;
  size_t bytes_ = 0;
  // Of the last entry: where its bytes go (null: nowhere, the key is not known) and how many are
  // still to come.
  std::byte* next_ = nullptr;
  uint64_t missing_ = 0;
};

}  // namespace lazynet::handlers
