#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "service/config/config.h"
#include "service/handlers/admin_only.h"
#include "service/security/bearer_tokens.h"
#include "service/security/tls_identity.h"

namespace lazynet::server {

// Who may come in, by the files that the configuration names.
class Access {
 public:
  // Reads the files, and logs until when the certificate is valid. An error names the flag, the
  // file and why. `config` is used as long as this is.
  static absl::StatusOr<std::unique_ptr<Access>> Load(const config::ServerConfig& config);

  // The same files again; logs a line for each. What cannot be used leaves the old in place.
  void Reload();

  // Of the admin address, or any other.
  handlers::AdminOnly MakeAdminOnly(bool is_admin) const;

  // For one listener each, plain text where there is no TLS.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials() const;
  std::shared_ptr<grpc::ServerCredentials> MakeAdminCredentials() const;

 private:
  explicit Access(const config::ServerConfig& config) : config_(config) {}

  const config::ServerConfig& config_;
  std::shared_ptr<security::BearerTokens> tokens_;  // null without
  // Null without TLS; the same unless the admin address has a client CA of its own.
  std::shared_ptr<security::TlsIdentity> tls_;
  std::shared_ptr<security::TlsIdentity> admin_tls_;
};

}  // namespace lazynet::server
