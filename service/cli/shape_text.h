#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "engine/core/shape.h"
#include "engine/core/status.h"

// Numbers and shapes as users write them.
namespace lazynet::cli {

// A whole number that fills the text; digits only.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || text.front() == '-' || error != std::errc() || rest != end) {
    return std::nullopt;
  }
  return value;
}

// Sizes joined by `separator`, or the word `scalar`. INVALID_ARGUMENT for anything else, and for
// shapes out of bounds.
absl::StatusOr<Shape> ParseShape(std::string_view text, char separator);

// What a --shape argument says.
struct NamedShape {
  // Empty = the only input.
  std::string name;
  Shape shape;
};

// Reads [NAME=]SHAPE with commas between the sizes. INVALID_ARGUMENT for anything else.
absl::StatusOr<NamedShape> ParseNamedShape(std::string_view text);

}  // namespace lazynet::cli
