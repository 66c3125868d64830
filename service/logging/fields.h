#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lazynet::logging {

// What a line says besides its message: names, which are ours, and values, which may be anybody's.
class Fields {
 public:
  // Of a value at most so many bytes are kept.
  static constexpr size_t kMostBytes = 512;

  Fields& Add(std::string_view name, std::string_view value);
  Fields& Add(std::string_view name, int64_t value);

  // ` model=mnist error="no such model"`: values as JSON strings where they are not plain words.
  std::string AsText() const;

  // `,"model":"mnist","error":"no such model"`. What is not UTF-8 is replaced.
  std::string AsJson() const;

 private:
  struct Field {
    std::string name;
    std::string json;   // the value
    bool word = false;  // a JSON string that needs no quotes as text
  };

  std::vector<Field> fields_;
};

// A JSON string with its quotes.
std::string JsonString(std::string_view text);

}  // namespace lazynet::logging
