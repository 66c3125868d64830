#include "service/cli/json_format.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <ostream>
#include <type_traits>

namespace lazynet::cli::json {
namespace {

// The double whose shortest text is the float's: 0.1f gives 0.1, not 0.10000000149011612.
double Shortest(float value) {
  const std::string text = fmt::format("{}", value);
  double same = value;
  std::from_chars(text.data(), text.data() + text.size(), same);
  return same;
}

}  // namespace

void Write(const Json& json, std::ostream& out) {
  out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

Json Number(const Element& element) {
  return std::visit(
      [](auto value) -> Json {
        if constexpr (std::is_floating_point_v<decltype(value)>) {
          if (std::isnan(value)) return "NaN";
          if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
        }
        if constexpr (std::is_same_v<decltype(value), float>) return Shortest(value);
        return value;
      },
      element);
}

}  // namespace lazynet::cli::json
