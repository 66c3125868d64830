#include "service/hosting/source_stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <set>
#include <system_error>

#include "service/hosting/sha256.h"

namespace lazynet::hosting {
namespace {

namespace fs = std::filesystem;

void Add(const fs::path& path, Sha256& digest) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return;
  // Names have no zero byte, so that no two lists of files are the same text.
  digest.Add(path.filename().native());
  digest.Add(std::string_view("\0", 1));
  digest.Add(fmt::format("{} {} {} {} {}\n", file.st_size, file.st_mtim.tv_sec,
                         file.st_mtim.tv_nsec, file.st_dev, file.st_ino));
}

void AddFiles(const fs::path& folder, Sha256& digest) {
  std::set<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    files.insert(entry->path());
  }
  for (const fs::path& file : files) Add(file, digest);
}

}  // namespace

std::string SourceStamp(const fs::path& folder, const fs::path& model) {
  Sha256 digest;
  AddFiles(folder, digest);
  digest.Add("of all versions\n");
  AddFiles(model, digest);
  return digest.Finish();
}

}  // namespace lazynet::hosting
