#pragma once

#include <string>

#include "absl/status/statusor.h"

// Files in PEM form. Errors are INVALID_ARGUMENT or NOT_FOUND, for whoever gave the files: they
// name the flag, the file and why.
namespace lazynet::security {

// What one end of TLS shows of itself.
struct KeyPair {
  std::string certificate;  // the own certificate first, then what leads to its root
  std::string key;

  // When the first certificate ends, as "Nov 26 11:43:22 2027 GMT", and whether it is within its
  // time.
  std::string valid_until;
  bool is_valid_now = false;
};

// Reads the files of --tls-certificate and --tls-key, and checks that every certificate can be
// read, that the key has no passphrase and is that of the first certificate.
absl::StatusOr<KeyPair> ReadKeyPair(const std::string& certificate_file,
                                    const std::string& key_file);

// Reads a file of certificates that sign others, at least one.
absl::StatusOr<std::string> ReadAuthorities(const std::string& flag, const std::string& file);

}  // namespace lazynet::security
