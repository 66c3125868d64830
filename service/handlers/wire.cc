#include "service/handlers/wire.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lazynet::handlers {

SliceReader::SliceReader(std::vector<grpc::Slice> slices)
    : slices_(std::make_shared<const std::vector<grpc::Slice>>(std::move(slices))) {
  for (const grpc::Slice& slice : *slices_) remaining_ += slice.size();
  Advance(0);
}

template <typename Visit>
void SliceReader::Walk(size_t count, Visit&& visit) const {
  size_t slice = slice_;
  size_t offset = offset_;
  while (count > 0) {
    const size_t part = std::min(count, (*slices_)[slice].size() - offset);
    visit((*slices_)[slice].begin() + offset, part);
    count -= part;
    offset = 0;
    ++slice;
  }
}

void SliceReader::Advance(size_t count) {
  remaining_ -= count;
  offset_ += count;
  while (slice_ < slices_->size() && offset_ >= (*slices_)[slice_].size()) {
    offset_ -= (*slices_)[slice_].size();
    ++slice_;
  }
}

std::optional<uint64_t> SliceReader::Varint(int most_bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 7 * most_bytes; shift += 7) {
    if (remaining_ == 0) return std::nullopt;
    const uint8_t byte = (*slices_)[slice_].begin()[offset_];
    Advance(1);
    value |= shift < 64 ? static_cast<uint64_t>(byte & 0x7F) << shift : 0;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

std::optional<SliceReader::FieldTag> SliceReader::Tag() {
  const auto tag = Varint(5);
  if (!tag) return std::nullopt;
  const auto low = static_cast<uint32_t>(*tag);
  return FieldTag{low >> 3, static_cast<WireType>(low & 7)};
}

std::optional<size_t> SliceReader::Length() {
  const auto length = Varint(5);
  if (!length || *length > remaining_) return std::nullopt;
  return static_cast<size_t>(*length);
}

bool SliceReader::Skip(size_t count) {
  const bool enough = count <= remaining_;
  Advance(std::min(count, remaining_));
  return enough;
}

bool SliceReader::AppendTo(std::string& text, size_t count) {
  const bool enough = count <= remaining_;
  if (enough) {
    Walk(count, [&](const uint8_t* data, size_t size) {
      text.append(reinterpret_cast<const char*>(data), size);
    });
  }
  Advance(std::min(count, remaining_));
  return enough;
}

void SliceReader::Peek(std::byte* dst, size_t count) const {
  Walk(count, [&](const uint8_t* data, size_t size) {
    std::memcpy(dst, data, size);
    dst += size;
  });
}

std::optional<std::byte> SliceReader::FindAbove(std::byte limit, size_t count) const {
  std::optional<std::byte> above;
  Walk(count, [&](const uint8_t* data, size_t size) {
    const uint8_t* const end = data + size;
    const uint8_t* const found =
        std::find_if(data, end, [&](uint8_t byte) { return std::byte{byte} > limit; });
    if (!above && found != end) above = std::byte{*found};
  });
  return above;
}

void AppendVarint(std::string& text, uint64_t value) {
  while (value >= 0x80) {
    text.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  text.push_back(static_cast<char>(value));
}

void AppendTag(std::string& text, uint32_t field, WireType type) {
  AppendVarint(text, (field << 3) | static_cast<uint32_t>(type));
}

}  // namespace lazynet::handlers
