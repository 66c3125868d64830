#include "service/cli/metrics_text.h"

#include <charconv>
#include <limits>
#include <optional>

namespace lazynet::cli {
namespace {

std::string_view UpTo(std::string_view& rest, size_t end) {
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end, rest.size()));
  return part;
}

// Of a label, from behind its opening quote to behind its closing one.
std::optional<std::string> TakeQuoted(std::string_view& rest) {
  std::string text;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return text;
    if (c != '\\') {
      text += c;
      continue;
    }
    if (rest.empty()) break;
    text += rest.front() == 'n' ? '\n' : rest.front();
    rest.remove_prefix(1);
  }
  return std::nullopt;
}

bool TakeLabels(std::string_view& rest, MetricSample& sample) {
  while (!rest.empty() && rest.front() != '}') {
    if (rest.front() == ',') rest.remove_prefix(1);
    const std::string_view name = UpTo(rest, rest.find('='));
    if (name.empty() || !rest.starts_with("=\"")) return false;
    rest.remove_prefix(2);
    auto value = TakeQuoted(rest);
    if (!value) return false;
    sample.labels.emplace_back(name, *std::move(value));
  }
  if (rest.empty()) return false;
  rest.remove_prefix(1);
  return true;
}

std::optional<double> ParseValue(std::string_view text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  if (text == "NaN" || text == "Nan") return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool ParseSample(std::string_view line, MetricSample& sample) {
  sample.labels.clear();
  sample.name = UpTo(line, line.find_first_of("{ "));
  if (sample.name.empty()) return false;
  if (line.starts_with('{')) {
    line.remove_prefix(1);
    if (!TakeLabels(line, sample)) return false;
  }
  if (!line.starts_with(' ')) return false;
  line.remove_prefix(1);
  const auto value = ParseValue(line.substr(0, line.find(' ')));  // a time may follow
  sample.value = value.value_or(0);
  return value.has_value();
}

}  // namespace

std::string_view MetricSample::Label(std::string_view wanted) const {
  for (const auto& [label, text] : labels) {
    if (label == wanted) return text;
  }
  return {};
}

absl::Status ReadMetrics(std::string_view page,
                         const std::function<void(const MetricSample&)>& take) {
  MetricSample sample;
  while (!page.empty()) {
    const std::string_view line = UpTo(page, page.find('\n'));
    if (!page.empty()) page.remove_prefix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (!ParseSample(line, sample)) {
      return Internal("no line of metrics: \"{}\"", line.substr(0, 200));
    }
    take(sample);
  }
  return absl::OkStatus();
}

}  // namespace lazynet::cli
