#include "engine/backend/padded_copy.h"

#include <algorithm>
#include <cstring>

#include "engine/core/check.h"
#include "engine/core/convert.h"

namespace lazynet::backend {
namespace {

constexpr int64_t kFill = -1;

// The index in [0, size) whose element stands at `index`, which may be outside.
int64_t SourceIndex(Pad::Mode mode, int64_t index, int64_t size) {
  switch (mode) {
    case Pad::Mode::kReflect:
      return index < 0 ? -index : index >= size ? 2 * (size - 1) - index : index;
    case Pad::Mode::kReplicate:
      return std::clamp<int64_t>(index, 0, size - 1);
    case Pad::Mode::kCircular:
      return index < 0 ? index + size : index >= size ? index - size : index;
    case Pad::Mode::kConstant:
      return index < 0 || index >= size ? kFill : index;
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
    : element_bytes_(SizeOf(dtype)),
      piece_bytes_(element_bytes_),
      value_(ElementOf(pad.value, dtype)),
      zero_(std::all_of(value_.begin(), value_.end(),
                        [](std::byte byte) { return byte == std::byte{0}; })) {
  size_t src_bytes = element_bytes_;
  size_t dst_bytes = element_bytes_;
  for (int i = src.rank(); i-- > 0;) {
    const int64_t before = pad.before[static_cast<size_t>(i)];
    const int64_t after = pad.after[static_cast<size_t>(i)];
    const int64_t size = src.dim(i);
    if (axes_.empty() && before == 0 && after == 0) {
      piece_bytes_ *= static_cast<size_t>(size);
    } else {
      Axis axis{
          .before = before, .src_size = size, .src_stride = src_bytes, .dst_stride = dst_bytes};
      for (int64_t index = 0; index < dst.dim(i); ++index) {
        axis.sources.push_back(SourceIndex(pad.mode, index - before, size));
      }
      axes_.push_back(std::move(axis));
    }
    src_bytes *= static_cast<size_t>(size);
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

void PaddedCopy::CopyAxis(size_t at, const std::byte* src, std::byte* dst) const {
  const Axis& axis = axes_[at];
  const bool last = at + 1 == axes_.size();
  const auto count = static_cast<int64_t>(axis.sources.size());
  for (int64_t i = 0; i < count; ++i, dst += axis.dst_stride) {
    const int64_t source = axis.sources[static_cast<size_t>(i)];
    if (source == kFill) {
      Fill(dst, axis.dst_stride);
      continue;
    }
    const std::byte* from = src + static_cast<size_t>(source) * axis.src_stride;
    if (!last) {
      CopyAxis(at + 1, from, dst);
    } else if (i == axis.before && axis.src_size > 0) {
      // All of src's own elements at once.
      std::memcpy(dst, from, static_cast<size_t>(axis.src_size) * piece_bytes_);
      i += axis.src_size - 1;
      dst += static_cast<size_t>(axis.src_size - 1) * axis.dst_stride;
    } else {
      std::memcpy(dst, from, piece_bytes_);
    }
  }
}

void PaddedCopy::Run(const std::byte* src, std::byte* dst) const {
  if (axes_.empty()) {
    std::memcpy(dst, src, piece_bytes_);
  } else {
    CopyAxis(0, src, dst);
  }
}

}  // namespace lazynet::backend
