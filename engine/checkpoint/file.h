#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "engine/core/status.h"

namespace lazynet::checkpoint {

// The bytes of a file, mapped read-only and private. Pages come in as they are touched; deleting
// the file or renaming another over it does not disturb the mapping, but shortening it in place
// makes later reads end the process (SIGBUS): replace files, do not rewrite them.
// Immutable and safe to share between threads.
class MappedFile {
 public:
  // NOT_FOUND when there is no such file, INVALID_ARGUMENT when it is a folder, pipe or device,
  // RESOURCE_EXHAUSTED when it cannot be mapped, FAILED_PRECONDITION when it cannot be opened.
  // Messages do not name the path. The descriptor is closed before this returns.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::filesystem::path& path);

  // The same for a descriptor that is open for reading, and stays the caller's.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> OfDescriptor(int fd);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Begins on a page boundary.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

// What becomes of a file that is there already.
enum class IfExists {
  kReplace,
  kFail,  // ALREADY_EXISTS; of several writers at a time one succeeds
};

// Makes `path` a file of the `pieces` in order, all or nothing: they go to a temporary name in the
// same folder, are synced, and renamed over what was there, or linked where nothing is. After a
// failure the old file stands and the temporary one is gone; when the process is killed it may
// stay, called ".tmp-...". NOT_FOUND when the folder is missing, RESOURCE_EXHAUSTED when the device
// is full, else FAILED_PRECONDITION.
absl::Status WriteFileAtomically(const std::filesystem::path& path,
                                 std::span<const std::span<const std::byte>> pieces,
                                 IfExists if_exists = IfExists::kReplace);

// Removes a file for good: the folder is synced. OK when there is none.
absl::Status RemoveFile(const std::filesystem::path& path);

// Gives a file another name in the same folder, synced.
absl::Status RenameFile(const std::filesystem::path& from, const std::filesystem::path& to);

// For tests of faults: called before each step that changes a disk, from "create" to "sync folder",
// so that a test can end the process there. Not to be set while another thread writes.
using WriteStepHook = void (*)(const char* step);
void SetWriteStepHook(WriteStepHook hook);

}  // namespace lazynet::checkpoint
