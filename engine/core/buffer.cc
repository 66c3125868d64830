#include "engine/core/buffer.h"

#include <new>

namespace lazynet {

void Buffer::Free::operator()(std::byte* data) const {
  ::operator delete (data, std::align_val_t{kAlignment});
}

absl::StatusOr<Buffer> Buffer::Allocate(size_t bytes) {
  Buffer buffer;
  if (bytes == 0) return buffer;
  void* data = ::operator new (bytes, std::align_val_t{kAlignment}, std::nothrow);
  if (data == nullptr) return ResourceExhausted("no memory for {} bytes", bytes);
  buffer.data_.reset(static_cast<std::byte*>(data));
  buffer.size_ = bytes;
  return buffer;
}

}  // namespace lazynet
