#include "service/security/tls_identity.h"

#include "engine/core/status.h"

namespace lazynet::security {

absl::StatusOr<std::shared_ptr<TlsIdentity>> TlsIdentity::Load(TlsFiles files) {
  std::shared_ptr<TlsIdentity> identity(new TlsIdentity(std::move(files)));
  RETURN_IF_ERROR(identity->Reload());
  return identity;
}

absl::Status TlsIdentity::Reload() {
  auto read = std::make_shared<TlsContents>();
  ASSIGN_OR_RETURN(read->own, ReadKeyPair(files_.certificate, files_.key));
  if (wants_client_certificate()) {
    ASSIGN_OR_RETURN(read->client_ca, ReadAuthorities(files_.client_ca_flag, files_.client_ca));
  }
  const std::lock_guard lock(mutex_);
  contents_ = std::move(read);
  return absl::OkStatus();
}

std::shared_ptr<const TlsContents> TlsIdentity::contents() const {
  const std::lock_guard lock(mutex_);
  return contents_;
}

}  // namespace lazynet::security
