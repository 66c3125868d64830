#include "service/hosting/binding.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <array>

namespace lazynet::hosting {
namespace {

struct SourceWords {
  Binding::Source source;
  std::string_view name;
  std::string_view text;
};

constexpr std::array kSources = {
    SourceWords{Binding::Source::kFirstRequest, "first_request", "the first request"},
    SourceWords{Binding::Source::kAdmin, "admin", "InitializeParameters"},
    SourceWords{Binding::Source::kAtLoad, "at_load", "serving.textproto"},
    SourceWords{Binding::Source::kCheckpoint, "checkpoint", "the checkpoint"},
    SourceWords{Binding::Source::kClient, "client", "a client's state dict"},
    SourceWords{Binding::Source::kDefinition, "definition", "the definition"},
    SourceWords{Binding::Source::kWarmUp, "warm_up", "the warm-up"},
};

const SourceWords& WordsOf(Binding::Source source) {
  return *std::find_if(kSources.begin(), kSources.end(),
                       [&](const SourceWords& words) { return words.source == source; });
}

}  // namespace

std::string_view Name(Binding::Source source) { return WordsOf(source).name; }

std::optional<Binding::Source> ParseSource(std::string_view name) {
  for (const SourceWords& words : kSources) {
    if (words.name == name) return words.source;
  }
  return std::nullopt;
}

std::string Describe(const Binding& binding, const nn::Network& network) {
  std::string by(WordsOf(binding.source).text);
  for (size_t i = 0; i < binding.input_shapes.size(); ++i) {
    by += fmt::format(", {} {}", network.inputs()[i].name, binding.input_shapes[i].ToString());
  }
  if (!binding.input_shapes.empty()) by += ",";
  return fmt::format("bound by {} at {:%Y-%m-%dT%H:%M:%SZ}", by,
                     fmt::gmtime(std::chrono::system_clock::to_time_t(binding.time)));
}

}  // namespace lazynet::hosting
