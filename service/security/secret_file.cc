#include "service/security/secret_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "engine/core/status.h"

namespace lazynet::security {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;

absl::Status CannotRead(const std::string& path, int error) {
  return NotFound("{}: {}", path, std::generic_category().message(error));
}

}  // namespace

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  const std::unique_ptr<FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "rbe"),
                                                           &std::fclose);
  if (file == nullptr) return CannotRead(path, errno);
  std::string text;
  std::array<char, 4096> part;
  while (const size_t got = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part.data(), got);
    if (text.size() > kMostBytes) {
      return InvalidArgument("{}: wants at most {} bytes, got more", path, kMostBytes);
    }
  }
  if (std::ferror(file.get()) != 0) return CannotRead(path, errno);
  if (text.empty()) return InvalidArgument("{}: is empty", path);
  return text;
}

}  // namespace lazynet::security
