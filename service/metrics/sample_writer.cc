#include "service/metrics/sample_writer.h"

namespace lazynet::metrics {

std::string LabelOf(std::string_view key, std::string_view value) {
  std::string label(key);
  label += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      label += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') label += '\\';
    label += c;
  }
  return label += '"';
}

}  // namespace lazynet::metrics
