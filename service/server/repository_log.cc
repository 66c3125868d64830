#include "service/server/repository_log.h"

#include <spdlog/spdlog.h>

namespace lazynet::server {
namespace {

void Log(const hosting::RepositoryChange& change) {
  using Kind = hosting::RepositoryChange::Kind;
  if (change.name.empty()) {
    spdlog::error("{}", Message(change.status));
    return;
  }
  const auto log = [&](std::string_view what) {
    spdlog::info("model {} version {} is {}", change.name, change.version, what);
  };
  switch (change.kind) {
    case Kind::kLoaded:
      return log("loaded");
    case Kind::kReloaded:
      return log("loaded again");
    case Kind::kUnloaded:
      return log("unloaded");
    case Kind::kFailed:
      spdlog::error("model {} version {} is not loaded: {}", change.name, change.version,
                    Message(change.status));
  }
}

}  // namespace

void LogChanges(const std::vector<hosting::RepositoryChange>& changes) {
  for (const hosting::RepositoryChange& change : changes) Log(change);
  if (changes.empty()) spdlog::info("model repository read again: nothing changed");
}

}  // namespace lazynet::server
