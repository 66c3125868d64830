#pragma once

#include <memory>
#include <string>

namespace lazynet::testing {

// A certificate and its private key, PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

struct CertificateOptions {
  std::string common_name;
  std::string alternative_names;  // as OpenSSL writes them, "DNS:a,IP:127.0.0.1"; empty: none
  int valid_days = 1;             // from yesterday on; 0: ended an hour ago
};

// Signs certificates of its own; keys are P-256.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& common_name);
  ~CertificateAuthority();

  std::string certificate() const;
  Certificate Issue(const CertificateOptions& options) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The same key, behind a passphrase.
std::string WithPassphrase(const std::string& key, const std::string& passphrase);

}  // namespace lazynet::testing
