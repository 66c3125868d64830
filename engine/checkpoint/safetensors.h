#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/checkpoint/file.h"
#include "engine/core/status.h"
#include "engine/core/tensor.h"

namespace lazynet::checkpoint {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// Free text that travels with the tensors, such as {"format": "pt"}.
using Metadata = std::map<std::string, std::string>;

// The tensors of a safetensors file, which is taken as hostile: everything the header says is
// checked against the bytes that are there before a tensor is made. README.md beside this file
// lists what is refused. Immutable and safe to share between threads.
//
// A tensor is a view of the file's bytes where they are aligned to the element's size (they are in
// files of the usual writers), else a copy. Tensors outlive this object: each keeps the bytes.
class SafetensorsFile {
 public:
  // Maps the file (see MappedFile for what may then happen to it). NOT_FOUND when it is missing,
  // INVALID_ARGUMENT when it is no regular file or breaks the format, with a message that names the
  // tensor and field, what was wanted and what came, but not the path; RESOURCE_EXHAUSTED or
  // FAILED_PRECONDITION when the system refuses.
  static absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Open(
      const std::filesystem::path& path);

  // The same for a file that is mapped.
  static absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Of(
      const std::shared_ptr<const MappedFile>& file);

  // In the order of their names' bytes, whatever the order in the header.
  std::span<const NamedTensor> tensors() const { return tensors_; }

  // Null when no tensor has that name. O(log n).
  const Tensor* Find(std::string_view name) const;

  const Metadata& metadata() const { return metadata_; }

 private:
  friend absl::StatusOr<std::shared_ptr<const SafetensorsFile>> ParseSafetensors(
      std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner);

  static absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Parse(
      std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner, bool mapped);

  SafetensorsFile(std::vector<NamedTensor> tensors, Metadata metadata)
      : tensors_(std::move(tensors)), metadata_(std::move(metadata)) {}

  std::vector<NamedTensor> tensors_;
  Metadata metadata_;
};

// The same for bytes in memory, which `owner` keeps alive and which must not change.
absl::StatusOr<std::shared_ptr<const SafetensorsFile>> ParseSafetensors(
    std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner);

}  // namespace lazynet::checkpoint
