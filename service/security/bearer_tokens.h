#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace lazynet::security {

// The tokens of a file, one a line, at least one; empty lines do not count. Each is up to 4096
// visible ASCII characters. Errors are for whoever gave the file, and name the flag and the file.
absl::StatusOr<std::vector<std::string>> ReadTokens(const std::string& flag,
                                                    const std::string& file);

// The tokens that a server takes, of a file that can be read again while they are used. Safe for
// use by many threads.
class BearerTokens {
 public:
  static absl::StatusOr<std::shared_ptr<BearerTokens>> Load(std::string flag, std::string file);

  // The same file again. On an error the tokens stay as they were.
  absl::Status Reload();

  // Whether a client may come in that sent this as its `authorization`: UNAUTHENTICATED unless it
  // is "Bearer " and a token, PERMISSION_DENIED for a wrong one. Takes the same time for every
  // token of a length.
  absl::Status Check(std::string_view authorization) const;

 private:
  BearerTokens(std::string flag, std::string file)
      : flag_(std::move(flag)), file_(std::move(file)) {}

  const std::string flag_;
  const std::string file_;
  mutable std::mutex mutex_;  // guards digests_
  std::vector<std::string> digests_;
};

}  // namespace lazynet::security
