#include "service/server/access.h"

#include <spdlog/spdlog.h>

#include "engine/core/status.h"
#include "service/security/tls_credentials.h"

namespace lazynet::server {
namespace {

void LogValidity(const security::TlsIdentity& identity) {
  const auto contents = identity.contents();
  if (contents->own.is_valid_now) {
    spdlog::info("TLS certificate read: valid until {}", contents->own.valid_until);
  } else {
    spdlog::warn("TLS certificate read: not valid now, but until {}", contents->own.valid_until);
  }
}

// Whether they could be.
bool ReloadTls(security::TlsIdentity& identity) {
  const absl::Status status = identity.Reload();
  if (!status.ok()) spdlog::error("TLS files stay as they were: {}", Message(status));
  return status.ok();
}

std::shared_ptr<grpc::ServerCredentials> CredentialsOf(
    const std::shared_ptr<security::TlsIdentity>& identity) {
  if (identity == nullptr) return grpc::InsecureServerCredentials();
  return security::MakeTlsCredentials(identity);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Access>> Access::Load(const config::ServerConfig& config) {
  if (!config.admin_client_names.empty() && config.tls_client_ca.empty() &&
      config.admin_client_ca.empty()) {
    return InvalidArgument("--admin-client-names wants --tls-client-ca or --admin-client-ca");
  }
  std::unique_ptr<Access> access(new Access(config));
  if (!config.admin_token_file.empty()) {
    ASSIGN_OR_RETURN(access->tokens_,
                     security::BearerTokens::Load("--admin-token-file", config.admin_token_file));
  }
  if (config.tls_certificate.empty()) return access;
  security::TlsFiles files = {
      .certificate = config.tls_certificate,
      .key = config.tls_key,
      .client_ca = config.tls_client_ca,
      .client_ca_flag = "--tls-client-ca",
  };
  ASSIGN_OR_RETURN(access->tls_, security::TlsIdentity::Load(files));
  access->admin_tls_ = access->tls_;
  if (!config.admin_client_ca.empty()) {
    files.client_ca = config.admin_client_ca;
    files.client_ca_flag = "--admin-client-ca";
    ASSIGN_OR_RETURN(access->admin_tls_, security::TlsIdentity::Load(files));
  }
  LogValidity(*access->tls_);
  return access;
}

void Access::Reload() {
  if (tls_ != nullptr) {
    const bool read = ReloadTls(*tls_);
    const bool admin_read = admin_tls_ == tls_ ? read : ReloadTls(*admin_tls_);
    if (read || admin_read) LogValidity(read ? *tls_ : *admin_tls_);  // they have one certificate
  }
  if (tokens_ == nullptr) return;
  if (const absl::Status status = tokens_->Reload(); status.ok()) {
    spdlog::info("admin tokens read again");
  } else {
    spdlog::error("admin tokens stay as they were: {}", Message(status));
  }
}

handlers::AdminOnly Access::MakeAdminOnly(bool is_admin) const {
  return {.admin = is_admin,
          .admin_address = config_.admin_address,
          .tokens = tokens_,
          .client_names = config_.admin_client_names};
}

std::shared_ptr<grpc::ServerCredentials> Access::MakeCredentials() const {
  return CredentialsOf(tls_);
}

std::shared_ptr<grpc::ServerCredentials> Access::MakeAdminCredentials() const {
  return CredentialsOf(admin_tls_);
}

}  // namespace lazynet::server
