#include "service/logging/fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lazynet::logging {
namespace {

bool IsWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '=';
  });
}

}  // namespace

std::string JsonString(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Fields& Fields::Add(std::string_view name, std::string_view value) {
  const bool cut = value.size() > kMostBytes;
  const std::string text = std::string(value.substr(0, kMostBytes)) + (cut ? "..." : "");
  fields_.push_back({std::string(name), JsonString(text), IsWord(text)});
  return *this;
}

Fields& Fields::Add(std::string_view name, int64_t value) {
  fields_.push_back({std::string(name), std::to_string(value)});
  return *this;
}

std::string Fields::AsText() const {
  std::string text;
  for (const Field& field : fields_) {
    text.append(" ").append(field.name).append("=");
    text += field.word ? field.json.substr(1, field.json.size() - 2) : field.json;
  }
  return text;
}

std::string Fields::AsJson() const {
  std::string json;
  for (const Field& field : fields_) {
    json.append(",\"").append(field.name).append("\":").append(field.json);
  }
  return json;
}

}  // namespace lazynet::logging
