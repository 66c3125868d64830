#include <ostream>

#include "service/cli/commands.h"

namespace lazynet::cli {

ExitCode Watch(Session& session) {
  const Options& options = session.options();
  v1::WatchNetworksRequest request;
  for (const std::string& model : options.models) request.add_names(model);
  int64_t count = 0;
  const absl::Status status = session.client().WatchNetworks(request, [&](const auto& event) {
    session.Show(absl::StatusOr<v1::NetworkEvent>(event));
    // Whoever reads this waits for each line.
    return session.out().flush().good() && ++count != options.count;
  });
  return status.ok() ? kDone : session.CallFailed(status);
}

}  // namespace lazynet::cli
