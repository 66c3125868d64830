#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "engine/core/status.h"
#include "engine/core/tensor.h"

// NumPy's .npy files, versions 1.0 and 2.0: one array of little-endian numbers in C order.
namespace lazynet::checkpoint {

// The array of a file: a view of the mapped file where that is aligned to the element's size, as in
// all files of NumPy's, else a copy. Errors as SafetensorsFile::Open. INVALID_ARGUMENT also for
// Fortran order, big-endian numbers, and types that no DType has (complex, text, objects, records).
absl::StatusOr<Tensor> ReadNpy(const std::filesystem::path& path);

// The same for bytes in memory, which `owner` keeps alive and which must not change.
absl::StatusOr<Tensor> ParseNpy(std::span<const std::byte> bytes,
                                const std::shared_ptr<const void>& owner);

// The bytes of a file of version 1.0, the same as numpy.save writes since 1.23. INVALID_ARGUMENT
// for BF16, which NumPy does not have, and for tensors that no reader takes.
absl::StatusOr<std::string> SerializeNpy(const TensorView& view);

// The same into a file; see WriteFileAtomically for the errors.
absl::Status WriteNpy(const std::filesystem::path& path, const TensorView& view);

}  // namespace lazynet::checkpoint
