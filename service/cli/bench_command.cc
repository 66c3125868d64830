#include "service/cli/commands.h"
#include "service/cli/load_report.h"
#include "service/cli/request.h"

namespace lazynet::cli {
namespace {

// So many windows in a row have to agree.
constexpr size_t kStableWindows = 3;

std::vector<LoadLevel> LevelsOf(const BenchOptions& options) {
  std::vector<LoadLevel> levels;
  for (const int clients : options.concurrency) levels.push_back({.clients = clients});
  for (const double rate : options.rates) levels.push_back({.rate = rate});
  if (levels.empty()) levels.emplace_back();
  return levels;
}

// What a server does not tell is left out.
inference::ModelStatistics StatisticsOf(Session& session, const std::string& version) {
  const auto response = session.client().ModelStatistics(session.options().model, version);
  return response.ok() && response->model_stats_size() == 1 ? response->model_stats(0)
                                                            : inference::ModelStatistics();
}

LoadLevelReport Measure(Session& session, const inference::ModelInferRequest& request,
                        const std::string& version, LoadLevel level) {
  const BenchOptions& options = session.options().bench;
  const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(options.window_seconds));
  LoadGenerator load(session.options().server, session.options().credentials, request, level,
                     options.seed);
  // Connecting, and what a server does for the first requests, is not in the windows.
  load.Run(time / 2);
  const inference::ModelStatistics before = StatisticsOf(session, version);
  std::vector<LoadWindow> last;
  LoadLevelReport report{.level = level};
  for (int i = 0; i < options.most_windows && !report.stable; ++i) {
    if (last.size() == kStableWindows) last.erase(last.begin());
    last.push_back(load.Run(time));
    report.stable = last.size() == kStableWindows && AreStable(last);
  }
  report.server = ServerTimesBetween(before, StatisticsOf(session, version));
  for (const LoadWindow& window : last) report.measured.Add(window);
  return report;
}

}  // namespace

ExitCode Bench(Session& session) {
  const Options& options = session.options();
  const auto metadata = session.client().ModelMetadata(options.model, options.version);
  if (!metadata.ok()) return session.CallFailed(metadata.status());
  const auto request = MakeRequest(options, *metadata);
  if (!request.ok()) return session.Fail(kUsage, Message(request.status()));
  LoadReport report{.model = options.model};
  const auto& shape = request->inputs(0).shape();
  if (shape.size() >= 2) report.items = shape[0];
  const auto start = std::chrono::steady_clock::now();
  const auto first = session.client().ModelInfer(*request);
  if (!first.ok()) return session.CallFailed(first.status());
  report.first_answer = std::chrono::steady_clock::now() - start;
  bool failed = false;
  for (const LoadLevel& level : LevelsOf(options.bench)) {
    report.levels.push_back(Measure(session, *request, first->model_version(), level));
    const LoadWindow& measured = report.levels.back().measured;
    failed = failed || !measured.errors.empty() || measured.latencies.count() == 0;
  }
  options.json ? json::Print(report, session.out()) : text::Print(report, session.out());
  return failed ? session.Fail(kRefused, "some requests failed") : kDone;
}

}  // namespace lazynet::cli
