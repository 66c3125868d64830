#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "service/security/pem_files.h"

namespace lazynet::security {

// The files of a listener.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;       // empty: clients show no certificate
  std::string client_ca_flag;  // that named it, for errors
};

// What is in them.
struct TlsContents {
  KeyPair own;
  std::string client_ca;
};

// What a listener shows of itself and wants of its clients in TLS; can be read again while it is
// used. Safe for use by many threads.
class TlsIdentity {
 public:
  // Errors as in pem_files.h.
  static absl::StatusOr<std::shared_ptr<TlsIdentity>> Load(TlsFiles files);

  // The same files again, for handshakes from now on. On an error what was read before stays.
  absl::Status Reload();

  std::shared_ptr<const TlsContents> contents() const;
  bool wants_client_certificate() const { return !files_.client_ca.empty(); }

 private:
  explicit TlsIdentity(TlsFiles files) : files_(std::move(files)) {}

  const TlsFiles files_;
  mutable std::mutex mutex_;  // guards contents_
  std::shared_ptr<const TlsContents> contents_;
};

}  // namespace lazynet::security
