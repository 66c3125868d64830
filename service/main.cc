#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "service/config/command_line.h"
#include "service/server/heap.h"
#include "service/server/server.h"
#include "service/version.h"

namespace lazynet {
namespace {

// Blocked in every thread, so that only WaitForStop sees them.
sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

std::string WaitForStop(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  return signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

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
        spdlog::error("model {} version {} is unavailable: {}", name, version,
                      Message(entry.unavailable));
      } else {
        spdlog::info("model {} version {} is {}", name, version,
                     entry.network->bound() != nullptr ? "ready" : "lazy");
      }
    }
  }
}

int Serve(const config::ServerConfig& config) {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto started = server::Server::Start(config);
  if (!started.ok()) {
    spdlog::error("{}", Message(started.status()));
    return 1;
  }
  server::Server& server = **started;
  LogModels(server.repository());
  spdlog::info("lazynet {} serves: gRPC port {}, metrics port {}, admin port {}, {} lanes",
               kVersion, server.grpc_port(), server.metrics_port(), server.admin_port(),
               server.lane_count());
  spdlog::info("{}: draining", WaitForStop(signals));
  server.Shutdown(std::chrono::seconds(config.drain_timeout_seconds));
  spdlog::info("stopped");
  return 0;
}

}  // namespace
}  // namespace lazynet

int main(int argc, char** argv) {
  lazynet::server::TuneHeap();
  const auto command_line = lazynet::config::ParseCommandLine(argc, argv);
  if (!command_line.config) return command_line.exit_code;
  spdlog::set_default_logger(spdlog::stderr_color_mt("lazynet"));
  spdlog::set_level(spdlog::level::from_str(command_line.config->log_level));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  return command_line.config->check ? lazynet::Check(*command_line.config)
                                    : lazynet::Serve(*command_line.config);
}
