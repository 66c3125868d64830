#include "service/cli/json_format.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <cmath>
#include <ostream>
#include <type_traits>

#include "service/cli/enum_text.h"

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

Json Parameters(const google::protobuf::RepeatedPtrField<v1::ParameterDescription>& parameters) {
  Json array = Json::array();
  for (const v1::ParameterDescription& parameter : parameters) {
    array.push_back({{"name", parameter.name()},
                     {"datatype", parameter.datatype()},
                     {"shape", Array(parameter.shape())},
                     {"state", EnumText(parameter.state())},
                     {"origin", parameter.origin() == v1::ORIGIN_UNSPECIFIED
                                    ? Json()
                                    : Json(EnumText(parameter.origin()))},
                     {"buffer", parameter.buffer()},
                     {"bytes", parameter.bytes()}});
  }
  return array;
}

Json Binding(const v1::Binding& binding) {
  return {{"source", binding.source()},
          {"inputs", Tensors(binding.inputs())},
          {"seed", binding.seed()},
          {"draw_order", binding.draw_order()},
          {"time", binding.has_time() ? Time(binding.time()) : Json()},
          {"adopted", binding.adopted()}};
}

Json Time(const google::protobuf::Timestamp& time) {
  return google::protobuf::util::TimeUtil::ToString(time);
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
