#include "service/security/bearer_tokens.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "engine/core/status.h"
#include "service/security/secret_file.h"

namespace lazynet::security {
namespace {

constexpr size_t kMostCharacters = 4096;
constexpr std::string_view kScheme = "Bearer ";

bool IsVisible(char c) { return c > ' ' && c <= '~'; }

std::string_view WithoutBlanks(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) - begin + 1);
}

// Of one size, so that comparing says nothing about the token.
std::string DigestOf(std::string_view token) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadTokens(const std::string& flag,
                                                    const std::string& file) {
  auto text = ReadSecretFile(file);
  if (!text.ok()) return Annotate(flag, text.status());
  std::vector<std::string> tokens;
  size_t number = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view token = WithoutBlanks(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (token.empty()) continue;
    if (token.size() > kMostCharacters || !std::all_of(token.begin(), token.end(), IsVisible)) {
      return InvalidArgument("{} {}: line {}: wants a token of at most {} visible characters", flag,
                             file, number, kMostCharacters);
    }
    tokens.emplace_back(token);
  }
  if (tokens.empty()) return InvalidArgument("{} {}: wants a token, got none", flag, file);
  return tokens;
}

absl::StatusOr<std::shared_ptr<BearerTokens>> BearerTokens::Load(std::string flag,
                                                                 std::string file) {
  std::shared_ptr<BearerTokens> tokens(new BearerTokens(std::move(flag), std::move(file)));
  RETURN_IF_ERROR(tokens->Reload());
  return tokens;
}

absl::Status BearerTokens::Reload() {
  ASSIGN_OR_RETURN(const auto tokens, ReadTokens(flag_, file_));
  std::vector<std::string> digests;
  for (const std::string& token : tokens) digests.push_back(DigestOf(token));
  const std::lock_guard lock(mutex_);
  digests_ = std::move(digests);
  return absl::OkStatus();
}

absl::Status BearerTokens::Check(std::string_view authorization) const {
  const std::string_view scheme = authorization.substr(0, kScheme.size());
  const std::string_view token = authorization.substr(scheme.size());
  if (!absl::EqualsIgnoreCase({scheme.data(), scheme.size()}, {kScheme.data(), kScheme.size()}) ||
      token.empty()) {
    return absl::UnauthenticatedError("wants metadata \"authorization: Bearer TOKEN\"");
  }
  const std::string digest = DigestOf(token);
  bool known = false;
  const std::lock_guard lock(mutex_);
  for (const std::string& own : digests_) {
    known |= CRYPTO_memcmp(own.data(), digest.data(), digest.size()) == 0;
  }
  if (known) return absl::OkStatus();
  return absl::PermissionDeniedError("the token is none of this server's");
}

}  // namespace lazynet::security
