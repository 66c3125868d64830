#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "engine/checkpoint/file.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/core/status.h"
#include "engine/core/tensor.h"

namespace lazynet::checkpoint {

struct NamedTensorView {
  std::string_view name;
  TensorView tensor;
};

// The bytes of a safetensors file. They depend on the tensors and metadata alone, not on the order
// given: tensors lie by falling element size, then by name, and the header is padded so that each
// is aligned to its element's size. Reading what was written and writing it again gives the same
// bytes. INVALID_ARGUMENT for what the reader would refuse: a name that comes twice, is
// "__metadata__" or is no UTF-8, unknown dims, BOOL elements other than 0 and 1, too long a header.
absl::StatusOr<std::string> SerializeSafetensors(std::span<const NamedTensorView> tensors,
                                                 const Metadata& metadata = {});

// The same into a file, without a second copy of the data in memory. The file is there whole or not
// at all; see WriteFileAtomically for one that was there, and for the errors.
absl::Status WriteSafetensors(const std::filesystem::path& path,
                              std::span<const NamedTensorView> tensors,
                              const Metadata& metadata = {},
                              IfExists if_exists = IfExists::kReplace);

}  // namespace lazynet::checkpoint
