#include "tests/service/metrics/text_format.h"

#include <algorithm>
#include <sstream>

namespace lazynet::metrics {

std::optional<double> ValueOf(std::string_view text, std::string_view series) {
  const std::string wanted = std::string(series) + ' ';
  std::istringstream lines{std::string(text)};
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with(wanted)) return std::stod(line.substr(wanted.size()));
  }
  return std::nullopt;
}

std::vector<std::string> FamiliesOf(const std::string& text) {
  struct Family {
    std::string name;
    std::string type;
    std::vector<std::string> labels;
  };
  std::vector<Family> families;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream fields(line.substr(7));
      fields >> families.emplace_back().name >> families.back().type;
    } else if (!line.starts_with('#') && !families.empty()) {
      std::vector<std::string>& labels = families.back().labels;
      const size_t end = std::min(line.find('}'), line.size());
      for (size_t begin = line.find('{'); begin < end; begin = line.find(',', begin)) {
        ++begin;  // after the brace or comma
        const std::string name = line.substr(begin, line.find('=', begin) - begin);
        if (name != "le" && std::find(labels.begin(), labels.end(), name) == labels.end()) {
          labels.push_back(name);
        }
      }
    }
  }
  std::vector<std::string> result;
  for (const Family& family : families) {
    std::string& row = result.emplace_back(family.name + ' ' + family.type);
    for (const std::string& name : family.labels) row += ' ' + name;
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace lazynet::metrics
