#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/checkpoint/safetensors.h"
#include "engine/core/status.h"
#include "engine/core/tensor.h"

namespace lazynet::checkpoint {

// The values' bytes as they lie in a little-endian file.
template <typename T>
std::string Bytes(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  return bytes;
}

inline std::string BytesOf(const Tensor& tensor) {
  if (tensor.bytes() == 0) return {};
  return {reinterpret_cast<const char*>(tensor.data()), tensor.bytes()};
}

// A safetensors file: length, header, data.
inline std::string File(std::string_view header, std::string_view data = {}) {
  const uint64_t length = header.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof(length));
  file += header;
  file += data;
  return file;
}

inline bool IsAligned(const Tensor& tensor) {
  return reinterpret_cast<uintptr_t>(tensor.data()) % SizeOf(tensor.dtype()) == 0;
}

// Bytes in memory of exactly their size, so that AddressSanitizer sees a read past their end, which
// begin `shift` bytes after an aligned address.
class Memory {
 public:
  explicit Memory(std::string_view bytes, size_t shift = 0)
      : owner_(new std::byte[bytes.size() + shift]), bytes_(owner_.get() + shift, bytes.size()) {
    if (!bytes.empty()) std::memcpy(owner_.get() + shift, bytes.data(), bytes.size());
  }
  std::span<const std::byte> bytes() const { return bytes_; }
  std::shared_ptr<const void> owner() const { return owner_; }

 private:
  std::shared_ptr<std::byte[]> owner_;
  std::span<const std::byte> bytes_;
};

inline absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Parse(std::string_view bytes) {
  const Memory memory(bytes);
  return ParseSafetensors(memory.bytes(), memory.owner());
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteFile(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A folder of its own for each test.
class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string name = testing::TempDir() + "lazynet-checkpoint-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> FileNames() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  std::filesystem::path folder_;
};

}  // namespace lazynet::checkpoint
