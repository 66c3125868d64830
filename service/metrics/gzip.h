#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

namespace lazynet::metrics {

// Whether the head of an HTTP request says that the client takes answers in gzip: its
// Accept-Encoding names that, or "*", without a quality of 0.
bool AcceptsGzip(std::string_view head);

// A gzip file, made in pieces. Fast rather than small: text of metrics becomes a tenth all the
// same.
class Gzip {
 public:
  // Throws std::bad_alloc.
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // Appends to `out` what the next bytes become, not nothing if they are some; `last` ends the
  // file.
  void Append(std::string_view bytes, bool last, std::string& out);

 private:
  z_stream stream_{};
};

}  // namespace lazynet::metrics
