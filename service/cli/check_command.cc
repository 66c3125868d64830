#include <fmt/format.h>

#include "service/cli/commands.h"
#include "service/cli/network_check.h"
#include "service/cli/text_file.h"

namespace lazynet::cli {

ExitCode Check(Session& session) {
  const Options& options = session.options();
  const auto text = ReadTextFile(options.file);
  if (!text.ok()) {
    return session.Fail(kUsage, fmt::format("{}: {}", options.file, Message(text.status())));
  }
  const auto network = CheckNetwork(*text, IsJson(options.file), options.shapes);
  if (!network.ok()) {
    return session.Fail(kRefused, fmt::format("{}: {}", options.file, Message(network.status())));
  }
  return session.Show(network);
}

}  // namespace lazynet::cli
