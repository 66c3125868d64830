#pragma once

#include <grpcpp/server_context.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "service/security/bearer_tokens.h"

namespace lazynet::handlers {

// Whether a service is on the admin address, what calls that are served there only answer on
// others, and who may make them.
struct AdminOnly {
  bool admin = false;
  std::string admin_address;
  std::shared_ptr<const security::BearerTokens> tokens;  // null: none is wanted
  std::vector<std::string> client_names;                 // of certificates; empty: any or none

  // PERMISSION_DENIED unless this is the admin address and the client's certificate has one of the
  // names, and what BearerTokens says of its token. `why` says what the call does.
  absl::Status Check(const grpc::ServerContextBase& context, std::string_view call,
                     std::string_view why = "changes something") const;
};

}  // namespace lazynet::handlers
