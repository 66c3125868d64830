#include "service/cli/load_mix.h"

#include <charconv>
#include <cmath>
#include <sstream>

namespace lazynet::cli {
namespace {

constexpr size_t kMostKinds = 100;

absl::StatusOr<RequestKind> ParseKind(const std::string& line) {
  std::istringstream words(line);
  std::string weight, model;
  words >> weight >> model;
  RequestKind kind;
  const auto [end, error] =
      std::from_chars(weight.data(), weight.data() + weight.size(), kind.weight);
  if (error != std::errc() || end != weight.data() + weight.size() || !std::isfinite(kind.weight) ||
      kind.weight <= 0) {
    return InvalidArgument("wants a weight above 0, got \"{}\"", weight);
  }
  const size_t slash = model.find('/');
  kind.model = model.substr(0, slash);
  if (slash != std::string::npos) kind.version = model.substr(slash + 1);
  if (kind.model.empty()) return InvalidArgument("wants WEIGHT MODEL[/VERSION] [NAME=]SPEC...");
  kind.text = model;
  for (std::string word; words >> word;) {
    ASSIGN_OR_RETURN(InputSpec input, ParseInputSpec(word));
    kind.inputs.push_back(std::move(input));
    kind.text += " " + word;
  }
  if (kind.inputs.empty()) return InvalidArgument("model \"{}\" wants inputs", kind.model);
  return kind;
}

}  // namespace

absl::StatusOr<std::vector<RequestKind>> ParseMix(std::string_view text) {
  std::vector<RequestKind> kinds;
  std::istringstream lines{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line.resize(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto kind = ParseKind(line);
    if (!kind.ok()) return Annotate(fmt::format("line {}", number), kind.status());
    kinds.push_back(*std::move(kind));
  }
  if (kinds.empty() || kinds.size() > kMostKinds) {
    return InvalidArgument("wants 1 to {} kinds of request, got {}", kMostKinds, kinds.size());
  }
  return kinds;
}

}  // namespace lazynet::cli
