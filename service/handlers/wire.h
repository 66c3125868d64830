#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lazynet::handlers {

// Protocol Buffers' wire types.
enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kLength = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

// Reads the bytes of a received message, which gRPC hands over in several pieces.
class SliceReader {
 public:
  explicit SliceReader(std::vector<grpc::Slice> slices);

  size_t remaining() const { return remaining_; }

  // A base-128 varint of at most 64 bits; nothing when the bytes end or it is too long.
  std::optional<uint64_t> Varint() { return Varint(10); }

  struct FieldTag {
    uint32_t field;
    WireType type;
  };

  // A field's number and wire type; nothing when the bytes end or it is too long. As protobuf's
  // parser it takes what is beyond 32 bits for nothing.
  std::optional<FieldTag> Tag();

  // How many bytes follow; nothing when those are not all there, or the bytes end before.
  std::optional<size_t> Length();

  // False, with the reader at the end, when fewer bytes are left.
  bool Skip(size_t count);
  bool AppendTo(std::string& text, size_t count);

  // Copies `count` bytes that start here to `dst` without moving on; they must be there.
  void Peek(std::byte* dst, size_t count) const;

  // The first of so many bytes that start here, which must be there, that is more than `limit`.
  std::optional<std::byte> FindAbove(std::byte limit, size_t count) const;

 private:
  template <typename Visit>
  void Walk(size_t count, Visit&& visit) const;
  void Advance(size_t count);
  std::optional<uint64_t> Varint(int most_bytes);

  // Shared, as there is a reader for each tensor of a message.
  std::shared_ptr<const std::vector<grpc::Slice>> slices_;
  size_t slice_ = 0;   // the slice that holds the next byte
  size_t offset_ = 0;  // of the next byte in it
  size_t remaining_ = 0;
};

void AppendVarint(std::string& text, uint64_t value);
void AppendTag(std::string& text, uint32_t field, WireType type);

}  // namespace lazynet::handlers
