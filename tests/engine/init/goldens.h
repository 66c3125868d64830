#pragma once

// What the tests that compare with PyTorch's goldens share.

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/init/distributions.h"

namespace lazynet::init {

using Json = nlohmann::ordered_json;

inline const std::string kTorchGoldens =
    std::string(LAZYNET_SOURCE_DIR) + "/tests/engine/init/torch_goldens.json";

inline Json ReadJson(const std::string& path) { return Json::parse(std::ifstream(path)); }

inline std::string Hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

inline std::string Sha256(std::span<const std::byte> bytes) {
  std::array<uint8_t, 32> digest;
  EXPECT_EQ(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr),
            1);
  return Hex(digest);
}

inline std::string HexOf(float value) {
  return fmt::format("{:08x}", std::bit_cast<uint32_t>(value));
}
inline std::string HexOf(double value) {
  return fmt::format("{:016x}", std::bit_cast<uint64_t>(value));
}

inline Tensor Allocate(DType dtype, const Shape& shape) { return *Tensor::Allocate(dtype, shape); }

inline Shape ShapeOf(const Json& row) {
  return Shape(std::span<const int64_t>(row["shape"].get<std::vector<int64_t>>()));
}

inline std::span<const std::byte> BytesOf(const Tensor& tensor) {
  return {tensor.data(), tensor.bytes()};
}

// Up to three first elements, as the goldens write them: highest byte first.
inline Json FirstOf(const Tensor& tensor) {
  const size_t width = SizeOf(tensor.dtype());
  Json first = Json::array();
  for (size_t i = 0; i < 3 && (i + 1) * width <= tensor.bytes(); ++i) {
    std::vector<uint8_t> element(width);
    std::memcpy(element.data(), tensor.data() + i * width, width);
    first.push_back(Hex(std::vector<uint8_t>(element.rbegin(), element.rend())));
  }
  return first;
}

// Without FMA the C library's functions may differ in the last bit of a double.
inline bool IsMachineDependent(DType dtype, bool normal) {
  return normal && dtype == DType::kFp64 && BestFmaPath() == FmaPath::kPortable;
}

inline void ExpectGolden(const Tensor& tensor, const Json& golden, const std::string& where) {
  EXPECT_EQ(FirstOf(tensor), golden["first"]) << where;
  EXPECT_EQ(Sha256(BytesOf(tensor)), golden["sha256"]) << where;
}

inline std::string NextOf(Generator& generator) {
  float next = 0.0f;
  Uniform(generator, 0.0, 1.0, {DType::kFp32, Shape{1}, reinterpret_cast<std::byte*>(&next)});
  return HexOf(next);
}

// A seed of a golden: -1 and 2^63 + 5 are both 64-bit patterns.
inline uint64_t SeedOf(const Json& row) { return row["seed"].get<uint64_t>(); }

}  // namespace lazynet::init
