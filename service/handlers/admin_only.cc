#include "service/handlers/admin_only.h"

#include <algorithm>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

// The names of a certificate that was verified: the alternative ones, or, where there are none, the
// common name.
std::vector<std::string> NamesOf(const grpc::ServerContextBase& context) {
  const auto peer = context.auth_context();
  std::vector<std::string> names;
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return names;
  for (const grpc::string_ref& name : peer->GetPeerIdentity()) {
    names.emplace_back(name.data(), name.size());
  }
  return names;
}

absl::Status CheckNames(const grpc::ServerContextBase& context,
                        const std::vector<std::string>& allowed) {
  const std::vector<std::string> names = NamesOf(context);
  const bool may = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  });
  if (may) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("the client's certificate has none of the names of --admin-client-names, but {}",
                  names.empty() ? "none at all" : fmt::format("{}", fmt::join(names, ", "))));
}

absl::Status CheckToken(const grpc::ServerContextBase& context,
                        const security::BearerTokens& tokens) {
  const auto [first, last] = context.client_metadata().equal_range("authorization");
  if (std::distance(first, last) > 1) {
    return absl::UnauthenticatedError("wants metadata \"authorization\" once");
  }
  if (first == last) return tokens.Check("");
  return tokens.Check({first->second.data(), first->second.size()});
}

}  // namespace

absl::Status AdminOnly::Check(const grpc::ServerContextBase& context, std::string_view call,
                              std::string_view why) const {
  if (!admin) {
    return absl::PermissionDeniedError(
        fmt::format("{} {}: it is served on the admin address only (--admin-address, here {})",
                    call, why, admin_address));
  }
  if (!client_names.empty()) RETURN_IF_ERROR(CheckNames(context, client_names));
  if (tokens != nullptr) RETURN_IF_ERROR(CheckToken(context, *tokens));
  return absl::OkStatus();
}

}  // namespace lazynet::handlers
