#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <string>

#include "engine/core/check.h"

namespace lazynet::testing {

// A POSIX shared-memory object of zeros, mapped, with a name that no other has; removed at the end.
class SharedMemoryObject {
 public:
  explicit SharedMemoryObject(size_t bytes) : bytes_(bytes) {
    static std::atomic<int> count = 0;
    key_ = "lazynet-test-" + std::to_string(getpid()) + "-" + std::to_string(count++);
    fd_ = shm_open(("/" + key_).c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    LAZYNET_CHECK(fd_ >= 0 && ftruncate(fd_, static_cast<off_t>(bytes)) == 0);
    void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    LAZYNET_CHECK(mapped != MAP_FAILED);
    data_ = static_cast<std::byte*>(mapped);
  }
  ~SharedMemoryObject() {
    munmap(data_, bytes_);
    close(fd_);
    shm_unlink(("/" + key_).c_str());
  }
  SharedMemoryObject(const SharedMemoryObject&) = delete;
  SharedMemoryObject& operator=(const SharedMemoryObject&) = delete;

  const std::string& key() const { return key_; }

  // Not to be touched beyond its length.
  template <typename T>
  T* at(size_t offset) {
    return reinterpret_cast<T*>(data_ + offset);
  }

  void Resize(size_t bytes) { LAZYNET_CHECK(ftruncate(fd_, static_cast<off_t>(bytes)) == 0); }

 private:
  const size_t bytes_;
  std::string key_;
  int fd_ = -1;
  std::byte* data_ = nullptr;
};

}  // namespace lazynet::testing
