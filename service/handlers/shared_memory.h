#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/status.h"
#include "proto/inference.pb.h"

namespace lazynet::handlers {

// A part of a POSIX shared-memory object that a client made. Read and written by calls instead of
// being mapped: when a client shortens the object, that is an error and not the end of the process.
// Safe for use by many threads.
class SharedMemoryRegion {
 public:
  // As SharedMemory::Register.
  static absl::StatusOr<std::shared_ptr<const SharedMemoryRegion>> Open(
      const inference::SystemSharedMemoryRegisterRequest& request);

  ~SharedMemoryRegion();
  SharedMemoryRegion(const SharedMemoryRegion&) = delete;
  SharedMemoryRegion& operator=(const SharedMemoryRegion&) = delete;

  const std::string& name() const { return name_; }
  const std::string& key() const { return key_; }
  uint64_t offset() const { return offset_; }
  uint64_t byte_size() const { return byte_size_; }

  // From or to a place in the region, which must have these bytes. FAILED_PRECONDITION when the
  // object has become shorter, or the system refuses.
  absl::Status Read(uint64_t offset, std::span<std::byte> bytes) const;
  absl::Status Write(uint64_t offset, std::span<const std::byte> bytes) const;

 private:
  SharedMemoryRegion(int fd, const inference::SystemSharedMemoryRegisterRequest& request)
      : fd_(fd),
        name_(request.name()),
        key_(request.key()),
        offset_(request.offset()),
        byte_size_(request.byte_size()) {}

  absl::Status CheckLength() const;

  const int fd_;
  const std::string name_;
  const std::string key_;
  const uint64_t offset_;
  const uint64_t byte_size_;
};

// Where a tensor of a request lies, or shall lie.
struct SharedMemorySlice {
  std::shared_ptr<const SharedMemoryRegion> region;  // null: in the message
  uint64_t offset = 0;                               // in the region
  size_t bytes = 0;

  explicit operator bool() const { return region != nullptr; }
};

// The regions that clients have registered, by name. Requests that use a region keep it when it is
// unregistered. Safe for use by many threads.
class SharedMemory {
 public:
  // Each keeps a file open.
  static constexpr size_t kMostRegions = 512;

  // `max_request_bytes` is of the inputs of a request together.
  SharedMemory(bool served, size_t max_request_bytes)
      : served_(served), max_request_bytes_(max_request_bytes) {}

  bool served() const { return served_; }
  size_t max_request_bytes() const { return max_request_bytes_; }

  // UNIMPLEMENTED when the server was not told to serve shared memory; all that follow as well.
  absl::Status CheckServed() const;

  // Opens a region. INVALID_ARGUMENT for a name or key that is none, and for bytes that the object
  // does not have; NOT_FOUND when there is no such object, ALREADY_EXISTS when the name is taken,
  // RESOURCE_EXHAUSTED with kMostRegions, FAILED_PRECONDITION when the system refuses.
  absl::Status Register(const inference::SystemSharedMemoryRegisterRequest& request);

  // Without a name all. OK when there is none of that name.
  absl::Status Unregister(const std::string& name);

  // Without a name all. NOT_FOUND when there is none of that name.
  absl::Status Describe(const std::string& name,
                        inference::SystemSharedMemoryStatusResponse& response) const;

  // What the parameters of an input or output say; no region when they do not. INVALID_ARGUMENT for
  // parameters of another type, and for bytes that the region does not have; NOT_FOUND for an
  // unknown region.
  using Parameters = google::protobuf::Map<std::string, inference::InferParameter>;
  absl::StatusOr<SharedMemorySlice> Find(const Parameters& parameters) const;

 private:
  const bool served_;
  const size_t max_request_bytes_;
  mutable std::mutex mutex_;  // guards regions_
  std::map<std::string, std::shared_ptr<const SharedMemoryRegion>, std::less<>> regions_;
};

}  // namespace lazynet::handlers
