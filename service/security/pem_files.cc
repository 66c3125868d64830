#include "service/security/pem_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/status.h"
#include "service/security/secret_file.h"

namespace lazynet::security {
namespace {

constexpr std::string_view kCertificateFlag = "--tls-certificate";
constexpr std::string_view kKeyFlag = "--tls-key";

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* value) const {
    Free(value);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

Bio ReadFrom(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Says that there is no passphrase, where OpenSSL would ask the terminal for one.
int NoPassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string OpensslReason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "it cannot be read";
}

absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& text) {
  const Bio bio = ReadFrom(text);
  std::vector<Certificate> certificates;
  ERR_clear_error();
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(next);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end) {
    return InvalidArgument("certificate {}: {}", certificates.size() + 1, OpensslReason());
  }
  ERR_clear_error();
  if (certificates.empty()) return InvalidArgument("wants certificates in PEM form, got none");
  return certificates;
}

absl::StatusOr<Key> ParseKey(const std::string& text) {
  const Bio bio = ReadFrom(text);
  bool asked = false;
  ERR_clear_error();
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, &asked));
  if (key != nullptr) return key;
  const std::string reason = OpensslReason();
  if (asked) return InvalidArgument("wants a key without a passphrase, got one with");
  return InvalidArgument("wants a private key in PEM form: {}", reason);
}

std::string TimeText(const ASN1_TIME* time) {
  const Bio bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

// "--tls-key /etc/tls/key.pem: ...".
absl::Status InFile(std::string_view flag, const std::string& path, const absl::Status& status) {
  return Annotate(fmt::format("{} {}", flag, path), status);
}

absl::StatusOr<std::string> ReadFlagged(std::string_view flag, const std::string& path) {
  auto text = ReadSecretFile(path);
  if (!text.ok()) return Annotate(flag, text.status());
  return text;
}

}  // namespace

absl::StatusOr<KeyPair> ReadKeyPair(const std::string& certificate_file,
                                    const std::string& key_file) {
  KeyPair pair;
  ASSIGN_OR_RETURN(pair.certificate, ReadFlagged(kCertificateFlag, certificate_file));
  ASSIGN_OR_RETURN(pair.key, ReadFlagged(kKeyFlag, key_file));
  const auto certificates = ParseCertificates(pair.certificate);
  if (!certificates.ok()) return InFile(kCertificateFlag, certificate_file, certificates.status());
  const auto key = ParseKey(pair.key);
  if (!key.ok()) return InFile(kKeyFlag, key_file, key.status());
  X509* own = certificates->front().get();
  if (X509_check_private_key(own, key->get()) != 1) {
    ERR_clear_error();
    return InvalidArgument("{} {}: is not the key of the first certificate in {}", kKeyFlag,
                           key_file, certificate_file);
  }
  pair.valid_until = TimeText(X509_get0_notAfter(own));
  pair.is_valid_now = X509_cmp_current_time(X509_get0_notBefore(own)) < 0 &&
                      X509_cmp_current_time(X509_get0_notAfter(own)) > 0;
  return pair;
}

absl::StatusOr<std::string> ReadAuthorities(const std::string& flag, const std::string& file) {
  ASSIGN_OR_RETURN(std::string text, ReadFlagged(flag, file));
  const auto certificates = ParseCertificates(text);
  if (!certificates.ok()) return InFile(flag, file, certificates.status());
  return text;
}

}  // namespace lazynet::security
