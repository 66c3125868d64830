#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "engine/core/status.h"

namespace lazynet::v1 {
class VersionPolicy;
}

namespace lazynet::hosting {

// Which versions of a model are loaded.
struct VersionPolicy {
  enum class Kind { kAll, kLatest, kSpecific };

  Kind kind = Kind::kAll;
  uint32_t latest = 1;         // for kLatest: so many of the highest, >= 1
  std::set<int64_t> specific;  // for kSpecific: these, not empty, each >= 1

  // Of versions that were found, by their paths, those to load; a specific one that was not found
  // has an empty path.
  std::map<int64_t, std::string> Choose(const std::map<int64_t, std::string>& found) const;
};

// INVALID_ARGUMENT for a list of versions that is empty, or has a number below 1.
absl::StatusOr<VersionPolicy> ConvertVersionPolicy(const v1::VersionPolicy& policy);

}  // namespace lazynet::hosting
