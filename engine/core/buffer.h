#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "engine/core/status.h"

namespace lazynet {

// Memory aligned to 64 bytes, the width of a cache line and of the widest vector register.
// Move-only; the contents start uninitialized.
class Buffer {
 public:
  static constexpr size_t kAlignment = 64;

  // The next multiple of kAlignment.
  static constexpr size_t Align(size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  Buffer() = default;

  // RESOURCE_EXHAUSTED when the memory cannot be had.
  static absl::StatusOr<Buffer> Allocate(size_t bytes);

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* data) const;
  };

  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0;
};

}  // namespace lazynet
