#include "engine/backend/padded_copy.h"

#include <algorithm>
#include <cstring>

#include "engine/core/check.h"
#include "engine/core/convert.h"

namespace lazynet::backend {
namespace {

// The index in [0, size) whose element stands at `index`, which is outside.
int64_t SourceIndex(Pad::Mode mode, int64_t index, int64_t size) {
  switch (mode) {
    case Pad::Mode::kReflect:
      return index < 0 ? -index : 2 * (size - 1) - index;
    case Pad::Mode::kReplicate:
      return index < 0 ? 0 : size - 1;
    case Pad::Mode::kCircular:
      return index < 0 ? index + size : index - size;
    case Pad::Mode::kConstant:
      break;
  }
  LAZYNET_CHECK(false);
  return 0;
}

std::vector<std::byte> ElementOf(double value, DType dtype) {
  std::vector<std::byte> element(SizeOf(dtype));
  const TensorView src = {DType::kFp64, {}, reinterpret_cast<const std::byte*>(&value)};
  Convert(src, {dtype, {}, element.data()});
  return element;
}

}  // namespace

PaddedCopy::PaddedCopy(const Pad& pad, const Shape& src, const Shape& dst, DType dtype)
    : mode_(pad.mode),
      element_bytes_(SizeOf(dtype)),
      piece_bytes_(element_bytes_),
      value_(ElementOf(pad.value, dtype)),
      zero_(std::all_of(value_.begin(), value_.end(),
                        [](std::byte byte) { return byte == std::byte{0}; })) {
  size_t src_bytes = element_bytes_;
  size_t dst_bytes = element_bytes_;
  for (int i = src.rank(); i-- > 0;) {
    const Axis axis = {.before = pad.before[static_cast<size_t>(i)],
                       .after = pad.after[static_cast<size_t>(i)],
                       .src_size = src.dim(i),
                       .src_stride = src_bytes,
                       .dst_stride = dst_bytes};
    if (axes_.empty() && axis.before == 0 && axis.after == 0) {
      piece_bytes_ *= static_cast<size_t>(axis.src_size);
    } else {
      axes_.push_back(axis);
    }
    src_bytes *= static_cast<size_t>(src.dim(i));
    dst_bytes *= static_cast<size_t>(dst.dim(i));
  }
  std::reverse(axes_.begin(), axes_.end());
}

void PaddedCopy::Fill(std::byte* dst, size_t bytes) const {
  if (zero_ || element_bytes_ == 1) {
    std::memset(dst, static_cast<int>(value_[0]), bytes);
    return;
  }
  for (size_t i = 0; i < bytes; i += element_bytes_) {
    std::memcpy(dst + i, value_.data(), element_bytes_);
  }
}

void PaddedCopy::CopyWithin(size_t at, const std::byte* src, std::byte* dst) const {
  if (at + 1 < axes_.size()) {
    CopyAxis(at + 1, src, dst);
  } else {
    std::memcpy(dst, src, piece_bytes_);
  }
}

std::byte* PaddedCopy::MakeBorder(size_t at, int64_t begin, int64_t end, const std::byte* src,
                                  std::byte* dst) const {
  const Axis& axis = axes_[at];
  if (mode_ == Pad::Mode::kConstant) {
    const size_t bytes = static_cast<size_t>(end - begin) * axis.dst_stride;
    Fill(dst, bytes);
    return dst + bytes;
  }
  for (int64_t index = begin; index < end; ++index, dst += axis.dst_stride) {
    const int64_t source = SourceIndex(mode_, index, axis.src_size);
    CopyWithin(at, src + static_cast<size_t>(source) * axis.src_stride, dst);
  }
  return dst;
}

void PaddedCopy::CopyAxis(size_t at, const std::byte* src, std::byte* dst) const {
  const Axis& axis = axes_[at];
  dst = MakeBorder(at, -axis.before, 0, src, dst);
  if (at + 1 == axes_.size()) {
    // All of src's own elements at once.
    const size_t bytes = static_cast<size_t>(axis.src_size) * piece_bytes_;
    if (bytes > 0) std::memcpy(dst, src, bytes);
    dst += bytes;
  } else {
    for (int64_t i = 0; i < axis.src_size; ++i, dst += axis.dst_stride) {
      CopyAxis(at + 1, src + static_cast<size_t>(i) * axis.src_stride, dst);
    }
  }
  MakeBorder(at, axis.src_size, axis.src_size + axis.after, src, dst);
}

void PaddedCopy::Run(const std::byte* src, std::byte* dst) const {
  if (axes_.empty()) {
    std::memcpy(dst, src, piece_bytes_);
  } else {
    CopyAxis(0, src, dst);
  }
}

}  // namespace lazynet::backend
