#include "engine/core/tensor.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace lazynet {

size_t ByteSize(DType dtype, const Shape& shape) {
  return static_cast<size_t>(shape.num_elements()) * SizeOf(dtype);
}

absl::StatusOr<Tensor> Tensor::Allocate(DType dtype, Shape shape) {
  ASSIGN_OR_RETURN(Buffer allocated, Buffer::Allocate(ByteSize(dtype, shape)));
  auto buffer = std::make_shared<Buffer>(std::move(allocated));
  Tensor tensor = Wrap(dtype, std::move(shape), buffer, buffer->data());
  tensor.mutable_data_ = buffer->data();
  return tensor;
}

Tensor Tensor::Wrap(DType dtype, Shape shape, std::shared_ptr<const void> owner,
                    const std::byte* data) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.owner_ = std::move(owner);
  tensor.data_ = data;
  return tensor;
}

Tensor Tensor::WrapMapped(DType dtype, Shape shape, std::shared_ptr<const void> owner,
                          const std::byte* data) {
  Tensor tensor = Wrap(dtype, std::move(shape), std::move(owner), data);
  tensor.mapped_ = true;
  return tensor;
}

Tensor Tensor::Part(Shape shape, size_t first_byte) const {
  LAZYNET_CHECK(first_byte + ByteSize(dtype_, shape) <= bytes());
  Tensor part = Wrap(dtype_, std::move(shape), owner_, data_ + first_byte);
  part.mapped_ = mapped_;
  return part;
}

void Tensor::ReleasePages() const {
  if (!mapped_ || bytes() == 0) return;
  // Whole pages, with what else lies on the first and the last one: all of it is in the file.
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(data_) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(data_) + bytes();
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

MutableTensorView Tensor::mutable_view() {
  LAZYNET_CHECK(mutable_data_ != nullptr || shape_.num_elements() == 0);
  return {dtype_, shape_, mutable_data_};
}

}  // namespace lazynet
