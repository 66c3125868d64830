#include "service/cli/credential_flags.h"

#include <CLI/CLI.hpp>

#include "service/security/bearer_tokens.h"
#include "service/security/pem_files.h"

namespace lazynet::cli {
namespace {

constexpr const char* kGroup = "Security";

}  // namespace

void CredentialFlags::Add(CLI::App& command) {
  const auto text = [&](const char* flag, const char* variable, std::string& value,
                        const char* description, const char* form) {
    return command.add_option(flag, value, description)
        ->envname(variable)
        ->option_text(form)
        ->group(kGroup);
  };
  command
      .add_flag("--tls", tls_, "Use TLS; any other --tls flag says so, too (--tls=false: do not)")
      ->envname("LAZYNET_CLIENT_TLS")
      ->group(kGroup);
  text("--tls-ca", "LAZYNET_CLIENT_TLS_CA", ca_,
       "Who signs the server's certificate (PEM); else the system's authorities", "FILE");
  CLI::Option* certificate =
      text("--tls-certificate", "LAZYNET_CLIENT_TLS_CERTIFICATE", certificate_,
           "What to show a server that wants to know its clients (PEM)", "FILE");
  CLI::Option* key = text("--tls-key", "LAZYNET_CLIENT_TLS_KEY", key_,
                          "Its private key (PEM), without a passphrase", "FILE");
  certificate->needs(key);
  key->needs(certificate);
  text("--tls-server-name", "LAZYNET_CLIENT_TLS_SERVER_NAME", server_name_,
       "Name in the server's certificate, where it is not the host of --server", "NAME");
  text("--token-file", "LAZYNET_CLIENT_TOKEN_FILE", token_,
       "The token (first line) that the server wants for calls on its admin address", "FILE");
}

absl::StatusOr<Credentials> CredentialFlags::Read(const CLI::App& command, bool wants_token) const {
  Credentials credentials{.server_name = server_name_};
  const bool given = command.get_option("--tls")->count() > 0;
  credentials.tls = given ? tls_ : !ca_.empty() || !certificate_.empty() || !server_name_.empty();
  if (wants_token && !token_.empty()) {
    ASSIGN_OR_RETURN(const auto tokens, security::ReadTokens("--token-file", token_));
    credentials.token = tokens.front();
  }
  if (!credentials.tls) return Credentials{.token = credentials.token};
  if (!ca_.empty()) {
    ASSIGN_OR_RETURN(credentials.ca, security::ReadAuthorities("--tls-ca", ca_));
  }
  if (!certificate_.empty()) {
    ASSIGN_OR_RETURN(const security::KeyPair own, security::ReadKeyPair(certificate_, key_));
    credentials.certificate = own.certificate;
    credentials.key = own.key;
  }
  return credentials;
}

}  // namespace lazynet::cli
