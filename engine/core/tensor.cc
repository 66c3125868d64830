#include "engine/core/tensor.h"

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

MutableTensorView Tensor::mutable_view() {
  LAZYNET_CHECK(mutable_data_ != nullptr || shape_.num_elements() == 0);
  return {dtype_, shape_, mutable_data_};
}

}  // namespace lazynet
