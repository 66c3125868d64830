#include "service/metrics/gzip.h"

#include <array>
#include <new>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "engine/core/status.h"

namespace lazynet::metrics {
namespace {

// What is said of a coding: "gzip", "gzip;q=0.5".
struct Accepted {
  absl::string_view coding;
  bool at_all = true;
};

Accepted Read(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ';');
  Accepted accepted{absl::StripAsciiWhitespace(parts[0])};
  for (size_t i = 1; i < parts.size(); ++i) {
    const absl::string_view parameter = absl::StripAsciiWhitespace(parts[i]);
    double quality = 1;
    if (absl::StartsWithIgnoreCase(parameter, "q=") &&
        absl::SimpleAtod(parameter.substr(2), &quality) && quality == 0) {
      accepted.at_all = false;
    }
  }
  return accepted;
}

}  // namespace

bool AcceptsGzip(std::string_view head) {
  constexpr absl::string_view kHeader = "Accept-Encoding:";
  bool others = false;  // "*" is all that is not named
  std::optional<bool> gzip;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(head.data(), head.size()), '\n')) {
    if (!absl::StartsWithIgnoreCase(line, kHeader)) continue;
    for (const absl::string_view text : absl::StrSplit(line.substr(kHeader.size()), ',')) {
      const Accepted accepted = Read(text);
      if (accepted.coding == "*") others = accepted.at_all;
      if (absl::EqualsIgnoreCase(accepted.coding, "gzip")) gzip = accepted.at_all;
    }
  }
  return gzip.value_or(others);
}

Gzip::Gzip() {
  constexpr int kGzip = 16;  // that head, rather than zlib's own
  constexpr int kMemory = 8;
  if (deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + kGzip, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
}

Gzip::~Gzip() { deflateEnd(&stream_); }

void Gzip::Append(std::string_view bytes, bool last, std::string& out) {
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream_.avail_in = static_cast<uInt>(bytes.size());
  std::array<char, 32768> part;
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(part.data());
    stream_.avail_out = static_cast<uInt>(part.size());
    const int result = deflate(&stream_, last ? Z_FINISH : Z_SYNC_FLUSH);
    LAZYNET_CHECK(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
    out.append(part.data(), part.size() - stream_.avail_out);
  } while (stream_.avail_out == 0);
}

}  // namespace lazynet::metrics
