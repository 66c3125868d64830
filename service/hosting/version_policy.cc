#include "service/hosting/version_policy.h"

#include <algorithm>
#include <iterator>

#include "proto/lazynet/v1/lazynet.pb.h"

namespace lazynet::hosting {

std::map<int64_t, std::string> VersionPolicy::Choose(
    const std::map<int64_t, std::string>& found) const {
  if (kind == Kind::kAll) return found;
  if (kind == Kind::kLatest) {
    const auto count = std::min<size_t>(latest, found.size());
    return {std::prev(found.end(), static_cast<std::ptrdiff_t>(count)), found.end()};
  }
  std::map<int64_t, std::string> chosen;
  for (const int64_t version : specific) {
    const auto path = found.find(version);
    chosen[version] = path == found.end() ? "" : path->second;
  }
  return chosen;
}

absl::StatusOr<VersionPolicy> ConvertVersionPolicy(const v1::VersionPolicy& policy) {
  VersionPolicy converted;
  if (policy.has_latest()) {
    converted.kind = VersionPolicy::Kind::kLatest;
    converted.latest = std::max<uint32_t>(policy.latest().num_versions(), 1);
  } else if (policy.has_specific()) {
    converted.kind = VersionPolicy::Kind::kSpecific;
    for (const int64_t version : policy.specific().versions()) {
      if (version < 1) {
        return InvalidArgument("version_policy: wants versions of at least 1, got {}", version);
      }
      converted.specific.insert(version);
    }
    if (converted.specific.empty()) {
      return InvalidArgument("version_policy: wants at least one specific version, got none");
    }
  }
  return converted;
}

}  // namespace lazynet::hosting
