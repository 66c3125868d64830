#include "service/hosting/repository_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace lazynet::hosting {

class RepositoryFolder::Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

namespace {

namespace fs = std::filesystem;

std::string LastPart(const std::string& path) { return fs::path(path).filename().string(); }

absl::Status SystemError(const std::string& path, int error) {
  const std::string why = std::generic_category().message(error);
  if (error == ENOENT || error == ENOTDIR) return NotFound("{}: {}", LastPart(path), why);
  return FailedPrecondition("{}: {}", LastPart(path), why);
}

// The name by which the system reaches an open file, whatever became of its path.
fs::path LinkOf(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

// Both by the system's word on where an open file lies.
absl::StatusOr<bool> LiesBeneath(int fd, int folder) {
  std::error_code error;
  const fs::path file = fs::read_symlink(LinkOf(fd), error);
  if (error) return FailedPrecondition("/proc cannot be read: {}", error.message());
  const fs::path root = fs::read_symlink(LinkOf(folder), error);
  if (error) return FailedPrecondition("/proc cannot be read: {}", error.message());
  return std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first == root.end();
}

}  // namespace

absl::StatusOr<std::unique_ptr<const RepositoryFolder>> RepositoryFolder::Open(
    const fs::path& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    const std::string name = folder.string();
    if (error == ENOTDIR || error == ENOENT) {
      return NotFound("model repository {}: is no folder", name);
    }
    return FailedPrecondition("model repository {}: {}", name,
                              std::generic_category().message(error));
  }
  return std::unique_ptr<const RepositoryFolder>(new RepositoryFolder(fd));
}

RepositoryFolder::~RepositoryFolder() { close(fd_); }

// O_PATH resolves the path and opens nothing, no device and no pipe, before it is known where it
// leads.
absl::StatusOr<RepositoryFolder::Descriptor> RepositoryFolder::OpenBeneath(const std::string& path,
                                                                           int flags) const {
  const std::string relative = path.empty() ? "." : path;
  const Descriptor resolved(openat(fd_, relative.c_str(), O_PATH | O_CLOEXEC));
  if (!resolved.valid()) return SystemError(path, errno);
  ASSIGN_OR_RETURN(const bool beneath, LiesBeneath(resolved.get(), fd_));
  if (!beneath) return FailedPrecondition("{}: leads out of the model repository", LastPart(path));
  // O_NONBLOCK: opening a pipe would otherwise wait for a writer.
  Descriptor opened(
      open(LinkOf(resolved.get()).c_str(), flags | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!opened.valid()) return SystemError(path, errno);
  return opened;
}

absl::StatusOr<std::vector<std::string>> RepositoryFolder::Folders(const std::string& path) const {
  ASSIGN_OR_RETURN(Descriptor folder, OpenBeneath(path, O_DIRECTORY));
  const std::unique_ptr<DIR, CloseFolder> stream(fdopendir(folder.get()));
  if (stream == nullptr) return SystemError(path, errno);
  const int fd = folder.Release();
  std::vector<std::string> names;
  errno = 0;
  for (const dirent* entry = readdir(stream.get()); entry != nullptr;
       entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    struct stat info;
    const bool is_folder = fstatat(fd, name.c_str(), &info, 0) == 0 && S_ISDIR(info.st_mode);
    if (is_folder && name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) return SystemError(path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

bool RepositoryFolder::Contains(const std::string& path) const {
  struct stat info;
  return fstatat(fd_, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

absl::StatusOr<std::string> RepositoryFolder::ReadText(const std::string& path,
                                                       size_t most_bytes) const {
  ASSIGN_OR_RETURN(const Descriptor file, OpenBeneath(path, 0));
  struct stat info;
  if (fstat(file.get(), &info) != 0) return SystemError(path, errno);
  if (!S_ISREG(info.st_mode)) return InvalidArgument("{}: wants a regular file", LastPart(path));
  const auto size = static_cast<size_t>(info.st_size);
  if (size > most_bytes) {
    return InvalidArgument("{}: wants at most {} bytes, got {}", LastPart(path), most_bytes, size);
  }
  std::string text(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got = read(file.get(), text.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(path, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  text.resize(done);
  return text;
}

absl::StatusOr<std::shared_ptr<const checkpoint::MappedFile>> RepositoryFolder::Map(
    const std::string& path) const {
  ASSIGN_OR_RETURN(const Descriptor file, OpenBeneath(path, 0));
  return checkpoint::MappedFile::OfDescriptor(file.get());
}

}  // namespace lazynet::hosting
