#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/shape.h"
#include "engine/core/status.h"
#include "engine/core/tensor.h"

// What the readers and writers of this folder share.
namespace lazynet::checkpoint {

// `text` in double quotes as an error message may hold it: valid UTF-8 whatever the input,
// control characters escaped, cut after `limit` bytes.
std::string Quote(std::string_view text, size_t limit = 100);

// The reason in a message of the JSON library's, without its prefix and what it read last; short.
std::string_view JsonReason(std::string_view message);

// Bytes of a dense tensor. INVALID_ARGUMENT unless `dims` pass CheckBounds, which also keeps the
// product from overflowing.
absl::StatusOr<size_t> CheckedByteSize(DType dtype, std::span<const int64_t> dims);

// A tensor of the elements at `data`: a view that keeps `owner` alive where `data` is aligned to
// the element's size, else a copy. `mapped` says that they are part of a file's read-only mapping.
// RESOURCE_EXHAUSTED when there is no memory for the copy;
// INVALID_ARGUMENT when a BOOL element is neither 0 nor 1, which no C++ bool can hold.
absl::StatusOr<Tensor> ViewOrCopy(DType dtype, const Shape& shape,
                                  const std::shared_ptr<const void>& owner, const std::byte* data,
                                  bool mapped = false);

// INVALID_ARGUMENT unless a reader would take the elements: dims known and within bounds, data
// there, BOOL elements 0 or 1.
absl::Status CheckWritable(const TensorView& view);

// The elements as bytes. `view` must have passed CheckWritable.
std::span<const std::byte> BytesOf(const TensorView& view);

}  // namespace lazynet::checkpoint
