#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/shape.h"
#include "proto/lazynet/v1/lazynet.pb.h"

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

// As ShapeText, but "?" for what has no shape yet rather than a scalar's.
std::string ParameterShape(const v1::ParameterDescription& parameter);

// `a, b`, for a container of strings.
template <typename Words>
std::string Join(const Words& words) {
  return fmt::format("{}", fmt::join(words.begin(), words.end(), ", "));
}

// `2: a, b`, or `none`.
template <typename Words>
std::string Counted(const Words& words) {
  return words.empty() ? "none" : fmt::format("{}: {}", words.size(), Join(words));
}

// `first_request of input FP32 [2, 64], seed 0, ...`
std::string BindingText(const v1::Binding& binding);

// A line of a summary: a label in a column of its own, and the text made printable.
void PrintLine(std::string_view label, std::string_view text, std::ostream& out);

}  // namespace lazynet::cli::text
