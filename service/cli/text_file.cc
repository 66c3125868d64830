#include "service/cli/text_file.h"

#include "engine/checkpoint/file.h"

namespace lazynet::cli {

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  ASSIGN_OR_RETURN(const auto file, checkpoint::MappedFile::Open(path));
  const auto bytes = file->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

bool IsJson(const std::string& path) { return path.ends_with(".json"); }

}  // namespace lazynet::cli
