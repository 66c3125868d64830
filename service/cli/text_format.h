#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>

#include "engine/core/shape.h"

// How text reports write sizes, shapes and tensors.
namespace lazynet::cli::text {

// "512 B", "1.5 KiB", ...
std::string Bytes(uint64_t bytes);

// "[2, ?]", for the repeated field of any message.
template <typename Dims>
std::string ShapeText(const Dims& dims) {
  return Shape(std::span<const int64_t>(dims.data(), static_cast<size_t>(dims.size()))).ToString();
}

// `input FP32 [2, 64], mask BOOL [2]`, for any messages with a name, a datatype and a shape.
template <typename Signatures>
std::string TensorsText(const Signatures& signatures) {
  std::string text;
  for (const auto& tensor : signatures) {
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", tensor.name(), tensor.datatype(),
                        ShapeText(tensor.shape()));
  }
  return text;
}

}  // namespace lazynet::cli::text
