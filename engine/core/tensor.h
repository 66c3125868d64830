#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "engine/core/buffer.h"
#include "engine/core/dtype.h"
#include "engine/core/shape.h"

namespace lazynet {

// The DType whose elements are of the C++ type T.
template <typename T>
constexpr DType DTypeOf() {
  if constexpr (std::is_same_v<T, float>) return DType::kFp32;
  if constexpr (std::is_same_v<T, double>) return DType::kFp64;
  if constexpr (std::is_same_v<T, bool>) return DType::kBool;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kUint8;
  if constexpr (std::is_same_v<T, uint16_t>) return DType::kUint16;
  if constexpr (std::is_same_v<T, uint32_t>) return DType::kUint32;
  if constexpr (std::is_same_v<T, uint64_t>) return DType::kUint64;
  if constexpr (std::is_same_v<T, int8_t>) return DType::kInt8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::kInt16;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kInt32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kInt64;
}

// Bytes of a dense tensor; all dims must be known.
size_t ByteSize(DType dtype, const Shape& shape);

// Row-major dense elements that somebody else owns; aligned to the element's size.
struct TensorView {
  DType dtype = DType::kFp32;
  Shape shape;
  const std::byte* data = nullptr;

  size_t bytes() const { return ByteSize(dtype, shape); }

  // All elements; T must be the C++ type of dtype.
  template <typename T>
  std::span<const T> values() const {
    LAZYNET_CHECK(DTypeOf<T>() == dtype);
    return {reinterpret_cast<const T*>(data), static_cast<size_t>(shape.num_elements())};
  }
};

struct MutableTensorView {
  DType dtype = DType::kFp32;
  Shape shape;
  std::byte* data = nullptr;

  size_t bytes() const { return ByteSize(dtype, shape); }

  template <typename T>
  std::span<T> values() const {
    LAZYNET_CHECK(DTypeOf<T>() == dtype);
    return {reinterpret_cast<T*>(data), static_cast<size_t>(shape.num_elements())};
  }
  operator TensorView() const { return {dtype, shape, data}; }  // NOLINT: a view narrows freely
};

// Row-major dense elements with shared ownership: a buffer of ours or a piece of a mapped file.
// The elements do not change once a tensor is shared between threads.
class Tensor {
 public:
  Tensor() = default;

  // Uninitialized elements. RESOURCE_EXHAUSTED when the memory cannot be had.
  static absl::StatusOr<Tensor> Allocate(DType dtype, Shape shape);

  // Elements at `data`, kept alive by `owner`.
  static Tensor Wrap(DType dtype, Shape shape, std::shared_ptr<const void> owner,
                     const std::byte* data);

  // The same, of a part of a file that is mapped read-only.
  static Tensor WrapMapped(DType dtype, Shape shape, std::shared_ptr<const void> owner,
                           const std::byte* data);

  // Elements of this one with another shape: those from `first_byte` on, which are all there. They
  // stay alive as long as either tensor.
  Tensor Part(Shape shape, size_t first_byte = 0) const;

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t bytes() const { return ByteSize(dtype_, shape_); }
  const std::byte* data() const { return data_; }
  TensorView view() const { return {dtype_, shape_, data_}; }

  template <typename T>
  std::span<const T> values() const {
    return view().values<T>();
  }

  // Whether the elements are part of a mapped file.
  bool mapped() const { return mapped_; }

  // Gives back the memory of elements that a mapped file holds, too: who reads them brings it back.
  // Does nothing to others. Safe while other threads read.
  void ReleasePages() const;

  // Only for the one who allocated the tensor, before it is shared.
  MutableTensorView mutable_view();

 private:
  DType dtype_ = DType::kFp32;
  Shape shape_{0};
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  std::byte* mutable_data_ = nullptr;
  bool mapped_ = false;
};

}  // namespace lazynet
