#include "service/handlers/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace lazynet::handlers {
namespace {

constexpr const char* kRegion = "shared_memory_region";
constexpr const char* kByteSize = "shared_memory_byte_size";
constexpr const char* kOffset = "shared_memory_offset";
constexpr size_t kMostNameBytes = 255;

std::string Reason(int error) { return std::generic_category().message(error); }

// Whether `count` bytes from `offset` on lie within `size`.
bool Fits(uint64_t offset, uint64_t count, uint64_t size) {
  return offset <= size && count <= size - offset;
}

absl::Status CheckName(const std::string& name) {
  if (!name.empty() && name.size() <= kMostNameBytes) return absl::OkStatus();
  return InvalidArgument("a region's name wants 1 to {} bytes, got {}", kMostNameBytes,
                         name.size());
}

// The names of shared-memory objects, with the slash that POSIX wants before them or without.
absl::Status CheckKey(std::string_view key) {
  std::string_view name = key;
  if (name.starts_with('/')) name.remove_prefix(1);
  const bool plain = !name.empty() && name.size() < kMostNameBytes && name != "." && name != ".." &&
                     name.find('/') == std::string_view::npos &&
                     name.find('\0') == std::string_view::npos;
  if (plain) return absl::OkStatus();
  return InvalidArgument(
      "a region's key wants the name of a POSIX shared-memory object, at most {} bytes without "
      "'/', got \"{}\"",
      kMostNameBytes - 1, key.substr(0, kMostNameBytes));
}

// A count of bytes; 0 if it is not there.
absl::StatusOr<uint64_t> ReadCount(const SharedMemory::Parameters& parameters, const char* name) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return 0;
  if (!found->second.has_int64_param()) return InvalidArgument("{} wants int64_param", name);
  if (found->second.int64_param() < 0) {
    return InvalidArgument("{} wants at least 0, got {}", name, found->second.int64_param());
  }
  return static_cast<uint64_t>(found->second.int64_param());
}

// Moves all bytes by calls of pread or pwrite.
template <typename Call, typename Byte>
absl::Status MoveAll(const Call& call, int fd, std::span<Byte> bytes, uint64_t place) {
  while (!bytes.empty()) {
    const ssize_t moved = call(fd, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return FailedPrecondition("{}", Reason(errno));
    if (moved == 0) return FailedPrecondition("the object has become shorter");
    bytes = bytes.subspan(static_cast<size_t>(moved));
    place += static_cast<uint64_t>(moved);
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> LengthOf(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return FailedPrecondition("{}", Reason(errno));
  if (!S_ISREG(info.st_mode)) return InvalidArgument("wants a shared-memory object");
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SharedMemoryRegion>> SharedMemoryRegion::Open(
    const inference::SystemSharedMemoryRegisterRequest& request) {
  RETURN_IF_ERROR(CheckName(request.name()));
  RETURN_IF_ERROR(CheckKey(request.key()));
  if (request.byte_size() == 0) return InvalidArgument("byte_size wants at least 1, got 0");
  const std::string key =
      request.key().starts_with('/') ? request.key() : fmt::format("/{}", request.key());
  const int fd = shm_open(key.c_str(), O_RDWR, 0);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT) return NotFound("there is no shared-memory object \"{}\"", request.key());
    return FailedPrecondition("shared-memory object \"{}\": {}", request.key(), Reason(error));
  }
  std::shared_ptr<const SharedMemoryRegion> region(new SharedMemoryRegion(fd, request));
  RETURN_IF_ERROR(region->CheckLength());
  return region;
}

SharedMemoryRegion::~SharedMemoryRegion() { close(fd_); }

absl::Status SharedMemoryRegion::CheckLength() const {
  const auto length = LengthOf(fd_);
  if (!length.ok()) {
    return Annotate(fmt::format("shared-memory object \"{}\"", key_), length.status());
  }
  if (Fits(offset_, byte_size_, *length)) return absl::OkStatus();
  return InvalidArgument("shared-memory object \"{}\": wants {} bytes from {} on, has {}", key_,
                         byte_size_, offset_, *length);
}

absl::Status SharedMemoryRegion::Read(uint64_t offset, std::span<std::byte> bytes) const {
  const absl::Status status = MoveAll(pread, fd_, bytes, offset_ + offset);
  if (status.ok()) return status;
  return Annotate(fmt::format("shared memory region \"{}\"", name_), status);
}

absl::Status SharedMemoryRegion::Write(uint64_t offset, std::span<const std::byte> bytes) const {
  // Writing would make the object longer again.
  const auto length = LengthOf(fd_);
  absl::Status status = length.status();
  if (status.ok() && !Fits(offset_ + offset, bytes.size(), *length)) {
    status = FailedPrecondition("the object has become shorter");
  }
  if (status.ok()) status = MoveAll(pwrite, fd_, bytes, offset_ + offset);
  if (status.ok()) return status;
  return Annotate(fmt::format("shared memory region \"{}\"", name_), status);
}

absl::Status SharedMemory::CheckServed() const {
  if (served_) return absl::OkStatus();
  return Unimplemented(
      "shared memory is not served: the server was started without "
      "--shared-memory");
}

absl::Status SharedMemory::Register(const inference::SystemSharedMemoryRegisterRequest& request) {
  RETURN_IF_ERROR(CheckServed());
  ASSIGN_OR_RETURN(auto region, SharedMemoryRegion::Open(request));
  const std::lock_guard lock(mutex_);
  if (regions_.contains(request.name())) {
    return absl::AlreadyExistsError(
        fmt::format("shared memory region \"{}\" is registered already", request.name()));
  }
  if (regions_.size() >= kMostRegions) {
    return ResourceExhausted("wants at most {} shared memory regions, got one more", kMostRegions);
  }
  regions_[request.name()] = std::move(region);
  return absl::OkStatus();
}

absl::Status SharedMemory::Unregister(const std::string& name) {
  RETURN_IF_ERROR(CheckServed());
  const std::lock_guard lock(mutex_);
  if (name.empty()) {
    regions_.clear();
  } else {
    regions_.erase(name);
  }
  return absl::OkStatus();
}

absl::Status SharedMemory::Describe(const std::string& name,
                                    inference::SystemSharedMemoryStatusResponse& response) const {
  RETURN_IF_ERROR(CheckServed());
  const std::lock_guard lock(mutex_);
  if (!name.empty() && !regions_.contains(name)) {
    return NotFound("there is no shared memory region \"{}\"", name);
  }
  for (const auto& [own_name, region] : regions_) {
    if (!name.empty() && own_name != name) continue;
    auto& described = (*response.mutable_regions())[own_name];
    described.set_name(region->name());
    described.set_key(region->key());
    described.set_offset(region->offset());
    described.set_byte_size(region->byte_size());
  }
  return absl::OkStatus();
}

absl::StatusOr<SharedMemorySlice> SharedMemory::Find(const Parameters& parameters) const {
  SharedMemorySlice slice;
  const auto wanted = parameters.find(kRegion);
  if (wanted == parameters.end()) {
    for (const char* name : {kByteSize, kOffset}) {
      if (parameters.contains(name)) return InvalidArgument("{} wants {}", name, kRegion);
    }
    return slice;
  }
  RETURN_IF_ERROR(CheckServed());
  if (!wanted->second.has_string_param()) return InvalidArgument("{} wants string_param", kRegion);
  if (!parameters.contains(kByteSize)) return InvalidArgument("{} wants {}", kRegion, kByteSize);
  ASSIGN_OR_RETURN(const uint64_t bytes, ReadCount(parameters, kByteSize));
  ASSIGN_OR_RETURN(slice.offset, ReadCount(parameters, kOffset));
  const std::string& name = wanted->second.string_param();
  {
    const std::lock_guard lock(mutex_);
    const auto found = regions_.find(name);
    if (found == regions_.end()) return NotFound("there is no shared memory region \"{}\"", name);
    slice.region = found->second;
  }
  if (!Fits(slice.offset, bytes, slice.region->byte_size())) {
    return InvalidArgument("shared memory region \"{}\": wants {} bytes from {} on, has {}", name,
                           bytes, slice.offset, slice.region->byte_size());
  }
  slice.bytes = bytes;
  return slice;
}

}  // namespace lazynet::handlers
