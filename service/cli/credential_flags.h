#pragma once

#include <string>

#include "engine/core/status.h"
#include "service/cli/credentials.h"

namespace CLI {
class App;
}  // namespace CLI

namespace lazynet::cli {

// The flags, and environment variables, that say how to come in at a server.
class CredentialFlags {
 public:
  // To each command that has a server; one of them is then parsed.
  void Add(CLI::App& command);

  // Reads the files that were named, the token's only for a command that `wants_token`. Errors name
  // the flag and the file.
  absl::StatusOr<Credentials> Read(const CLI::App& command, bool wants_token) const;

 private:
  bool tls_ = false;
  std::string ca_;
  std::string certificate_;
  std::string key_;
  std::string server_name_;
  std::string token_;
};

}  // namespace lazynet::cli
