#include "service/cli/text_format.h"

#include <google/protobuf/util/time_util.h>

#include <iterator>
#include <ostream>

#include "service/cli/table.h"

namespace lazynet::cli::text {

std::string Bytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < std::size(kUnits); value /= 1024) ++unit;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string ParameterShape(const v1::ParameterDescription& parameter) {
  const bool shapeless =
      parameter.state() != v1::PARAMETER_STATE_INITIALIZED && parameter.shape_size() == 0;
  return shapeless ? "?" : ShapeText(parameter.shape());
}

std::string BindingText(const v1::Binding& binding) {
  std::string text = binding.source();
  if (binding.inputs_size() > 0) text += " of " + TensorsText(binding.inputs());
  text += fmt::format(", seed {}, draw order {}", binding.seed(), binding.draw_order());
  if (binding.has_time()) {
    text += ", " + google::protobuf::util::TimeUtil::ToString(binding.time());
  }
  if (binding.adopted()) text += ", from the state directory";
  return text;
}

void PrintLine(std::string_view label, std::string_view text, std::ostream& out) {
  out << fmt::format("{:<10}  ", label) << Printable(text) << '\n';
}

}  // namespace lazynet::cli::text
