#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/safetensors.h"
#include "engine/core/status.h"

namespace lazynet::checkpoint {

// The tensors of a checkpoint in several safetensors files, by the index that lies beside them
// (model.safetensors.index.json):
//
//   {"metadata": {"total_size": 264040},
//    "weight_map": {"fc1.weight": "model-00001-of-00002.safetensors", ...}}
//
// In the order of their names' bytes; each is a view of its file or a copy, as SafetensorsFile's.
//
// Index and shards are taken as hostile: README.md beside this file lists what is refused. The
// index must tell where every tensor of every shard lies, and tell it right. Errors as
// SafetensorsFile::Open; those of a shard begin with its name, and one that is missing is NOT_FOUND
// too. Messages name no folder.
absl::StatusOr<std::vector<NamedTensor>> ReadShardedSafetensors(const std::filesystem::path& index);

inline constexpr std::string_view kIndexSuffix = ".safetensors.index.json";

// The tensors of a checkpoint by its name: of an index, if it ends with kIndexSuffix, or of one
// file.
absl::StatusOr<std::vector<NamedTensor>> ReadSafetensors(const std::filesystem::path& path);

// The same where the caller opens the files: `name` and the shards beside it, by their names in the
// folder.
using OpenInFolder =
    std::function<absl::StatusOr<std::shared_ptr<const MappedFile>>(const std::string& name)>;
absl::StatusOr<std::vector<NamedTensor>> ReadSafetensors(const std::string& name,
                                                         const OpenInFolder& open);

}  // namespace lazynet::checkpoint
