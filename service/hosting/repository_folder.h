#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/checkpoint/file.h"
#include "engine/core/status.h"

namespace lazynet::hosting {

// A model repository's folder, held open, and what lies beneath it. Paths are relative to it, in
// the form "model/2/weights.safetensors", "" being the folder itself. Symbolic links are followed
// as far as they stay beneath the folder; what leads out of it, by a link or "..", is never opened:
// where a path led is looked at after it was resolved, so that nobody can move a link in between.
//
// Messages name the last part of a path only. FAILED_PRECONDITION for what leads out and for what
// the system refuses, NOT_FOUND for what is not there. Safe for use by many threads.
class RepositoryFolder {
 public:
  // NOT_FOUND when there is no such folder.
  static absl::StatusOr<std::unique_ptr<const RepositoryFolder>> Open(
      const std::filesystem::path& folder);

  ~RepositoryFolder();
  RepositoryFolder(const RepositoryFolder&) = delete;
  RepositoryFolder& operator=(const RepositoryFolder&) = delete;

  // Names of the folders in a folder, in the order of their bytes; links to folders count, wherever
  // they lead.
  absl::StatusOr<std::vector<std::string>> Folders(const std::string& path) const;

  // Whether there is anything of this name, if only a link that leads nowhere.
  bool Contains(const std::string& path) const;

  // The content of a regular file. INVALID_ARGUMENT when it is none, or larger than `most_bytes`.
  absl::StatusOr<std::string> ReadText(const std::string& path, size_t most_bytes) const;

  // As checkpoint::MappedFile::Open.
  absl::StatusOr<std::shared_ptr<const checkpoint::MappedFile>> Map(const std::string& path) const;

 private:
  class Descriptor;

  explicit RepositoryFolder(int fd) : fd_(fd) {}

  absl::StatusOr<Descriptor> OpenBeneath(const std::string& path, int flags) const;

  const int fd_;
};

}  // namespace lazynet::hosting
