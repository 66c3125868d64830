#include "service/hosting/output_labels.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/hosting/state_directory.h"

namespace lazynet::hosting {
namespace {

constexpr size_t kMostLabels = size_t{1} << 20;
constexpr size_t kMostLabelBytes = 4096;

absl::StatusOr<std::vector<std::string>> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > kMostLabelBytes) {
      return InvalidArgument("line {}: wants at most {} bytes, got {}", lines.size() + 1,
                             kMostLabelBytes, line.size());
    }
    if (lines.size() == kMostLabels) {
      return InvalidArgument("wants at most {} lines, got more", kMostLabels);
    }
    lines.emplace_back(line);
  }
  return lines;
}

absl::StatusOr<OutputLabels> ReadFile(const std::string& file, const ReadLabelFile& read) {
  if (!IsPlainName(file)) {
    return InvalidArgument("wants a file name of letters, digits, '_', '-' and '.', got \"{}\"",
                           file);
  }
  ASSIGN_OR_RETURN(const std::string text, read(file));
  auto names = SplitLines(text);
  if (!names.ok()) return Annotate(file, names.status());
  return OutputLabels{.file = file, .names = *std::move(names)};
}

}  // namespace

absl::StatusOr<std::vector<OutputLabels>> ReadOutputLabels(const v1::ServingConfig& config,
                                                           const nn::Network& network,
                                                           const ReadLabelFile& read) {
  std::vector<OutputLabels> labels;
  if (config.labels().empty()) return labels;
  labels.resize(network.outputs().size());
  for (const v1::OutputLabels& wanted : config.labels()) {
    const std::string where = fmt::format("labels of output \"{}\"", wanted.output());
    const auto found =
        std::find_if(network.outputs().begin(), network.outputs().end(),
                     [&](const auto& output) { return output.name == wanted.output(); });
    if (found == network.outputs().end()) {
      return InvalidArgument("{}: the network has no such output", where);
    }
    OutputLabels& own = labels[static_cast<size_t>(found - network.outputs().begin())];
    if (!own.file.empty()) return InvalidArgument("{}: are there twice", where);
    auto read_labels = ReadFile(wanted.file(), read);
    if (!read_labels.ok()) return Annotate(where, read_labels.status());
    own = *std::move(read_labels);
  }
  return labels;
}

}  // namespace lazynet::hosting
