#include "service/hosting/binding.h"

#include <fmt/chrono.h>

namespace lazynet::hosting {

std::string_view Name(Binding::Source source) {
  switch (source) {
    case Binding::Source::kFirstRequest:
      return "first_request";
    case Binding::Source::kCheckpoint:
      return "checkpoint";
    case Binding::Source::kDefinition:
      return "definition";
  }
  return "";
}

std::string Describe(const Binding& binding, const nn::Network& network) {
  std::string by;
  switch (binding.source) {
    case Binding::Source::kFirstRequest:
      by = "by the first request";
      for (size_t i = 0; i < binding.input_shapes.size(); ++i) {
        by += fmt::format(", {} {}", network.inputs()[i].name, binding.input_shapes[i].ToString());
      }
      by += ",";
      break;
    case Binding::Source::kCheckpoint:
      by = "by the checkpoint";
      break;
    case Binding::Source::kDefinition:
      by = "by the definition";
      break;
  }
  return fmt::format("bound {} at {:%Y-%m-%dT%H:%M:%SZ}", by,
                     fmt::gmtime(std::chrono::system_clock::to_time_t(binding.time)));
}

}  // namespace lazynet::hosting
