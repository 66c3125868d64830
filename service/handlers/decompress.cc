#include "service/handlers/decompress.h"

#include <grpc/byte_buffer.h>
#include <grpc/compression.h>
#include <zlib.h>

#include <array>
#include <vector>

#include "engine/core/status.h"

namespace grpc::internal {

// gRPC's buffers let a class of this name see what they hold.
class GrpcByteBufferPeer {
 public:
  static grpc_compression_algorithm Compression(grpc::ByteBuffer& buffer) {
    const grpc_byte_buffer* raw = buffer.c_buffer();
    return raw == nullptr ? GRPC_COMPRESS_NONE : raw->data.raw.compression;
  }
};

}  // namespace grpc::internal

namespace lazynet::handlers {
namespace {

constexpr size_t kPartBytes = size_t{64} << 10;

// zlib finds out by itself which of the two headers there is.
constexpr int kGzipOrDeflate = 15 + 32;

class Inflater {
 public:
  Inflater(size_t max_bytes, RequestMemory::Share& memory)
      : max_bytes_(max_bytes), left_(max_bytes), memory_(memory) {
    stream_ = {};
    LAZYNET_CHECK(inflateInit2(&stream_, kGzipOrDeflate) == Z_OK);
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  absl::Status Add(const grpc::Slice& compressed) {
    stream_.next_in = const_cast<uint8_t*>(compressed.begin());
    stream_.avail_in = static_cast<uInt>(compressed.size());
    // All of the input, and what zlib still holds back when it had no room.
    while (stream_.avail_in > 0 || stream_.avail_out == 0) {
      if (ended_) return stream_.avail_in > 0 ? Broken() : absl::OkStatus();
      RETURN_IF_ERROR(Step());
    }
    return absl::OkStatus();
  }

  absl::Status Finish(grpc::ByteBuffer& inflated) {
    if (!ended_) return Broken();
    grpc::ByteBuffer whole(parts_.data(), parts_.size());
    inflated.Swap(&whole);
    return absl::OkStatus();
  }

 private:
  static absl::Status Broken() { return InvalidArgument("the request cannot be decompressed"); }

  absl::Status Step() {
    stream_.next_out = part_.data();
    stream_.avail_out = static_cast<uInt>(part_.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    ended_ = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return Broken();
    const size_t made = part_.size() - stream_.avail_out;
    if (made > left_) {
      return ResourceExhausted("the request: wants at most {} bytes, got more when decompressed",
                               max_bytes_);
    }
    left_ -= made;
    RETURN_IF_ERROR(memory_.Take(made));
    if (made > 0) parts_.emplace_back(part_.data(), made);
    return absl::OkStatus();
  }

  z_stream stream_;
  bool ended_ = false;
  const size_t max_bytes_;
  size_t left_;
  RequestMemory::Share& memory_;
  std::array<uint8_t, kPartBytes> part_;
  std::vector<grpc::Slice> parts_;
};

}  // namespace

bool IsCompressed(grpc::ByteBuffer& message) {
  return grpc::internal::GrpcByteBufferPeer::Compression(message) != GRPC_COMPRESS_NONE;
}

absl::Status Decompress(grpc::ByteBuffer& message, size_t max_bytes, RequestMemory::Share& memory) {
  if (!IsCompressed(message)) return absl::OkStatus();
  std::vector<grpc::Slice> slices;
  if (!message.Dump(&slices).ok()) return InvalidArgument("the request cannot be read");
  Inflater inflater(max_bytes, memory);
  for (const grpc::Slice& slice : slices) RETURN_IF_ERROR(inflater.Add(slice));
  return inflater.Finish(message);
}

}  // namespace lazynet::handlers
