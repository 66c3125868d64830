#include "engine/checkpoint/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace lazynet::checkpoint {
namespace {

WriteStepHook write_step_hook = nullptr;

void Step(const char* step) {
  if (write_step_hook != nullptr) write_step_hook(step);
}

absl::Status SystemError(std::string_view what, int error) {
  const std::string why = std::generic_category().message(error);
  switch (error) {
    case EEXIST:
      return absl::AlreadyExistsError(fmt::format("{}: {}", what, why));
    case ENOENT:
    case ENOTDIR:
      return NotFound("{}: {}", what, why);
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      return ResourceExhausted("{}: {}", what, why);
    default:
      return FailedPrecondition("{}: {}", what, why);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // 0 or the error number.
  int Close() { return close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

 private:
  int fd_;
};

std::string_view KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

// A new file beside `path`, under a name that nobody has.
absl::StatusOr<Descriptor> CreateBeside(const std::filesystem::path& path,
                                        std::filesystem::path* name) {
  constexpr int kTries = 16;
  std::random_device random;
  int error = EEXIST;
  for (int i = 0; i < kTries && error == EEXIST; ++i) {
    const uint64_t suffix = (uint64_t{random()} << 32) | random();
    Step("create");
    *name = path.parent_path() / fmt::format(".tmp-{:016x}", suffix);
    Descriptor file(open(name->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file.valid()) return file;
    error = errno;
  }
  return SystemError("a temporary file beside the target cannot be made", error);
}

absl::Status WriteAll(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    Step("write");
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return SystemError("the file cannot be written", errno);
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteAndSync(Descriptor file, std::span<const std::span<const std::byte>> pieces) {
  for (std::span<const std::byte> piece : pieces) RETURN_IF_ERROR(WriteAll(file.get(), piece));
  Step("sync");
  if (fsync(file.get()) != 0) return SystemError("the file cannot be synced", errno);
  if (const int error = file.Close(); error != 0) {
    return SystemError("the file cannot be closed", error);
  }
  return absl::OkStatus();
}

// Makes a rename in the folder survive a loss of power.
absl::Status SyncFolder(const std::filesystem::path& folder) {
  Step("sync folder");
  Descriptor opened(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder that may be written but not listed, and file systems that sync no folders, are fine.
  if (!opened.valid()) return absl::OkStatus();
  if (fsync(opened.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    return SystemError("the folder cannot be synced", errno);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(
    const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe would otherwise wait for a writer.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return SystemError("the file cannot be opened", errno);
  return OfDescriptor(file.get());
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::OfDescriptor(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError("the file cannot be examined", errno);
  if (!S_ISREG(info.st_mode)) {
    return InvalidArgument("wants a regular file, got {}", KindOf(info.st_mode));
  }
  const auto size = static_cast<size_t>(info.st_size);
  std::span<const std::byte> bytes;
  if (size > 0) {  // mmap refuses a length of 0
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return SystemError("the file cannot be mapped", errno);
    bytes = {static_cast<const std::byte*>(data), size};
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(bytes));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

absl::Status WriteFileAtomically(const std::filesystem::path& path,
                                 std::span<const std::span<const std::byte>> pieces,
                                 IfExists if_exists) {
  std::filesystem::path temporary;
  ASSIGN_OR_RETURN(Descriptor file, CreateBeside(path, &temporary));
  absl::Status status = WriteAndSync(std::move(file), pieces);
  if (status.ok()) {
    Step("put in place");
    const int failed = if_exists == IfExists::kReplace ? rename(temporary.c_str(), path.c_str())
                                                       : link(temporary.c_str(), path.c_str());
    if (failed != 0) status = SystemError("the file cannot be put in place", errno);
  }
  if (!status.ok() || if_exists == IfExists::kFail) {
    Step("remove temporary");
    unlink(temporary.c_str());
  }
  RETURN_IF_ERROR(status);
  return SyncFolder(path.parent_path());
}

absl::Status RemoveFile(const std::filesystem::path& path) {
  Step("remove");
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return SystemError("the file cannot be removed", errno);
  }
  return SyncFolder(path.parent_path());
}

absl::Status RenameFile(const std::filesystem::path& from, const std::filesystem::path& to) {
  Step("rename");
  if (rename(from.c_str(), to.c_str()) != 0) {
    return SystemError("the file cannot be renamed", errno);
  }
  return SyncFolder(to.parent_path());
}

void SetWriteStepHook(WriteStepHook hook) { write_step_hook = hook; }

}  // namespace lazynet::checkpoint
