#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>
#include <string>

#include "engine/backend/threads.h"
#include "service/config/command_line.h"
#include "service/logging/log.h"
#include "service/server/file_limit.h"
#include "service/server/heap.h"
#include "service/server/host.h"
#include "service/server/life_cycle.h"
#include "service/server/mutexes.h"
#include "service/server/server.h"
#include "service/server/signals.h"
#include "service/version.h"

namespace lazynet {
namespace {

int Check(const config::ServerConfig& config) {
  std::string report;
  const absl::Status status = server::CheckRepository(config, report);
  fmt::print("{}", report);
  if (status.ok()) return 0;
  fmt::print(stderr, "lazynet-server: {}\n", Message(status));
  return 1;
}

void LogModels(const hosting::Repository& repository) {
  for (const auto& [name, versions] : repository.models()) {
    for (const auto& [version, entry] : versions) {
      if (entry.network == nullptr) {
        logging::Log(spdlog::level::err, "load refused",
                     logging::Fields()
                         .Add("model", name)
                         .Add("version", version)
                         .Add("error", Message(entry.unavailable)));
      } else {
        spdlog::info("model {} version {} is {}", name, version,
                     entry.network->Look().binding() != nullptr ? "ready" : "lazy");
      }
    }
  }
}

int Serve(const config::ServerConfig& config) {
  server::Signals signals;  // before the models are loaded, which may take long, for SIGHUP
  auto started = server::Server::Start(config);
  if (!started.ok()) {
    spdlog::error("{}", Message(started.status()));
    return 1;
  }
  signals.CatchStops();
  server::Server& server = **started;
  LogModels(server.repository());
  spdlog::info("lazynet {} serves: gRPC port {}, metrics port {}, admin port {}, {} lanes",
               kVersion, server.grpc_port(), server.metrics_port(), server.admin_port(),
               server.lane_count());
  server::ServeUntilStopped(server, signals,
                            {.grace = std::chrono::seconds(config.drain_grace_seconds),
                             .timeout = std::chrono::seconds(config.drain_timeout_seconds)});
  spdlog::info("stopped");
  return 0;
}

}  // namespace
}  // namespace lazynet

int main(int argc, char** argv) {
  lazynet::backend::RestartWithBriefWaits(argv);
  lazynet::server::TuneHeap();
  lazynet::server::TuneMutexes();
  lazynet::server::RaiseFileLimit();
  const auto command_line = lazynet::config::ParseCommandLine(argc, argv);
  if (!command_line.config) return command_line.exit_code;
  spdlog::set_level(spdlog::level::from_str(command_line.config->log_level));
  lazynet::logging::LogTo(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(),
                          command_line.config->log_format == "json"
                              ? lazynet::logging::Format::kJson
                              : lazynet::logging::Format::kText);
  return command_line.config->check ? lazynet::Check(*command_line.config)
                                    : lazynet::Serve(*command_line.config);
}
