#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace lazynet::handlers {

// Whether a service is on the admin address, and what calls that are served there only answer on
// others.
struct AdminOnly {
  bool admin = false;
  std::string admin_address;

  // PERMISSION_DENIED unless this is the admin address. `why` says what the call does.
  absl::Status Check(std::string_view call, std::string_view why = "changes something") const {
    if (admin) return absl::OkStatus();
    return absl::PermissionDeniedError(
        fmt::format("{} {}: it is served on the admin address only (--admin-address, here {})",
                    call, why, admin_address));
  }
};

}  // namespace lazynet::handlers
