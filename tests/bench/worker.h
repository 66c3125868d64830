#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the workers in C++ share of compare.sh's protocol (README.md).
namespace lazynet::bench {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

inline int64_t NanosecondsSince(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count();
}

// A line of /proc/self/status, in bytes.
inline int64_t MemoryOf(std::string_view key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::stoll(line.substr(key.size() + 1)) * 1024;
  }
  return 0;
}

inline Json MemoryReport() {
  return {{"resident_bytes", MemoryOf("VmRSS")}, {"peak_resident_bytes", MemoryOf("VmHWM")}};
}

// Whole runs for at least so long, and at least three.
template <typename Run>
Json Measure(const Run& run, int64_t milliseconds) {
  std::vector<int64_t> times;
  const Clock::time_point begin = Clock::now();
  while (times.size() < 3 || NanosecondsSince(begin) < milliseconds * 1'000'000) {
    const Clock::time_point start = Clock::now();
    run();
    times.push_back(NanosecondsSince(start));
  }
  const auto middle = times.begin() + static_cast<ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return {{"median_ns", *middle},
          {"min_ns", *std::min_element(times.begin(), times.end())},
          {"runs", times.size()}};
}

// An --input: NAME=DTYPE:DIM,DIM,...:FILE, the file holding the elements row-major and
// little-endian.
struct InputFile {
  std::string name;
  std::string dtype;
  std::vector<int64_t> dims;
  std::string path;
};

// Nothing when the text is not of that form.
inline std::optional<InputFile> ParseInputFile(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t colon = text.find(':', equals);
  const size_t second = text.find(':', colon + 1);
  if (equals == std::string::npos || colon == std::string::npos || second == std::string::npos) {
    return std::nullopt;
  }
  InputFile input{.name = text.substr(0, equals),
                  .dtype = text.substr(equals + 1, colon - equals - 1),
                  .dims = {},
                  .path = text.substr(second + 1)};
  for (const char *at = text.data() + colon + 1, *end = text.data() + second; at < end; ++at) {
    const auto [next, error] = std::from_chars(at, end, input.dims.emplace_back());
    if (error != std::errc()) return std::nullopt;
    at = next;
  }
  return input;
}

}  // namespace lazynet::bench
