#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "service/metrics/series.h"

namespace lazynet::metrics {

// The place of `code` among the kStatusCodes; that of UNKNOWN for what is none of them.
inline size_t IndexOf(absl::StatusCode code) {
  const auto index = static_cast<size_t>(code);
  return index < kStatusCodes ? index : static_cast<size_t>(absl::StatusCode::kUnknown);
}

}  // namespace lazynet::metrics
