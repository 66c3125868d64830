#include "engine/core/buffer.h"

#include <sys/mman.h>

#include <cstdlib>

namespace lazynet {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

void Buffer::Free::operator()(std::byte* data) const { std::free(data); }

absl::StatusOr<Buffer> Buffer::Allocate(size_t bytes) {
  Buffer buffer;
  if (bytes == 0) return buffer;
  // A kernel that reads weights of many MB once spends a good part of its time on looking up small
  // pages.
  const size_t alignment = bytes < kHugePage ? kAlignment : kHugePage;
  void* data = nullptr;
  if (posix_memalign(&data, alignment, bytes) != 0) {
    return ResourceExhausted("no memory for {} bytes", bytes);
  }
  if (bytes >= kHugePage) madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  buffer.data_.reset(static_cast<std::byte*>(data));
  buffer.size_ = bytes;
  return buffer;
}

}  // namespace lazynet
