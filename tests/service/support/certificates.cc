#include "tests/service/support/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>

#include "engine/core/check.h"

namespace lazynet::testing {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* value) const {
    Free(value);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

constexpr long kHour = 3600;
constexpr long kDay = 24 * kHour;

template <typename Write>
std::string Pem(const Write& write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  LAZYNET_CHECK(write(bio.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string CertificatePem(X509* certificate) {
  return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string KeyPem(EVP_PKEY* key) {
  return Pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

void AddExtension(X509* certificate, int id, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
  LAZYNET_CHECK(extension != nullptr);
  LAZYNET_CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

// Neither signed nor with an issuer.
X509Ptr MakeCertificate(EVP_PKEY* key, const CertificateOptions& options) {
  static std::atomic<long> serial = 1;
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()),
                  options.valid_days > 0 ? options.valid_days * kDay : -kHour);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                             -1, -1, 0);
  if (!options.alternative_names.empty()) {
    AddExtension(certificate.get(), NID_subject_alt_name, options.alternative_names);
  }
  return certificate;
}

void Sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  LAZYNET_CHECK(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
}

}  // namespace

struct CertificateAuthority::Parts {
  KeyPtr key{EVP_EC_gen("P-256")};
  X509Ptr certificate;
};

CertificateAuthority::CertificateAuthority(const std::string& common_name)
    : parts_(std::make_unique<Parts>()) {
  parts_->certificate = MakeCertificate(parts_->key.get(), {.common_name = common_name});
  AddExtension(parts_->certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  Sign(parts_->certificate.get(), parts_->certificate.get(), parts_->key.get());
}

CertificateAuthority::~CertificateAuthority() = default;

std::string CertificateAuthority::certificate() const {
  return CertificatePem(parts_->certificate.get());
}

Certificate CertificateAuthority::Issue(const CertificateOptions& options) const {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate = MakeCertificate(key.get(), options);
  Sign(certificate.get(), parts_->certificate.get(), parts_->key.get());
  return {.certificate = CertificatePem(certificate.get()), .key = KeyPem(key.get())};
}

std::string WithPassphrase(const std::string& key, const std::string& passphrase) {
  const Bio bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const KeyPtr parsed(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  return Pem([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, parsed.get(), EVP_aes_256_cbc(),
                                    reinterpret_cast<const unsigned char*>(passphrase.data()),
                                    static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
}

}  // namespace lazynet::testing
