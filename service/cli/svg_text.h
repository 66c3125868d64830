#pragma once

#include <string>
#include <string_view>

namespace lazynet::cli::svg {

// All in pixels; letters of a monospaced font are 0.6 of its size wide.
inline constexpr int kFontSize = 12;
inline constexpr double kLetter = 0.6 * kFontSize;

// Text as content or attribute of an element.
std::string Escaped(std::string_view text);

// The opening of a picture with a white ground.
std::string Begin(double width, double height);

}  // namespace lazynet::cli::svg
