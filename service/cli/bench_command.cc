#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "service/cli/commands.h"
#include "service/cli/load_mix.h"
#include "service/cli/load_report.h"
#include "service/cli/markdown_bench.h"
#include "service/cli/progress_bar.h"
#include "service/cli/request.h"
#include "service/cli/svg_bench.h"
#include "service/cli/terminal.h"
#include "service/cli/text_file.h"
#include "service/cli/timing.h"

namespace lazynet::cli {
namespace {

// So many windows in a row have to agree.
constexpr size_t kStableWindows = 3;

// Of a window, each with a moment of its own in the report; no shorter than that.
constexpr int kMostMoments = 10;
constexpr std::chrono::milliseconds kLeastMoment{50};

std::vector<LoadLevel> LevelsOf(const BenchOptions& options) {
  std::vector<LoadLevel> levels;
  for (const int clients : options.concurrency) levels.push_back({.clients = clients});
  for (const double rate : options.rates) levels.push_back({.rate = rate});
  if (levels.empty()) levels.emplace_back();
  return levels;
}

absl::StatusOr<std::vector<RequestKind>> KindsOf(const Options& options) {
  if (options.bench.mix_file.empty()) {
    return std::vector<RequestKind>{{.model = options.model,
                                     .version = options.version,
                                     .inputs = options.infer.inputs,
                                     .text = options.model}};
  }
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(options.bench.mix_file));
  auto kinds = ParseMix(text);
  if (!kinds.ok()) return Annotate(options.bench.mix_file, kinds.status());
  return kinds;
}

// A bench while it runs.
class Benchmark {
 public:
  Benchmark(Session& session, std::vector<RequestKind> kinds)
      : session_(session),
        kinds_(std::move(kinds)),
        bar_(session.err(),
             TerminalOf(session.err()).value_or(TerminalSize{.columns = 0}).columns) {}

  // Makes the requests, and has the first answers to them; kDone, or what to exit with.
  ExitCode Prepare() {
    const Options& options = session_.options();
    report_.model = options.bench.mix_file.empty() ? options.model : options.bench.mix_file;
    for (const RequestKind& kind : kinds_) {
      const auto metadata = session_.client().ModelMetadata(kind.model, kind.version);
      if (!metadata.ok()) return session_.CallFailed(metadata.status());
      Options own = options;
      own.model = kind.model;
      own.version = kind.version;
      own.infer.inputs = kind.inputs;
      auto request = MakeRequest(own, *metadata);
      if (!request.ok()) return session_.Fail(kUsage, Message(request.status()));
      requests_.push_back({*std::move(request), kind.weight});
    }
    for (size_t i = 0; i < kinds_.size(); ++i) {
      if (const ExitCode code = FirstAnswers(i); code != kDone) return code;
    }
    return kDone;
  }

  const LoadReport& Run() {
    const std::vector<LoadLevel> levels = LevelsOf(session_.options().bench);
    for (size_t i = 0; i < levels.size(); ++i) {
      const double share = 1.0 / static_cast<double>(levels.size());
      report_.levels.push_back(Measure(levels[i], share * static_cast<double>(i), share));
    }
    bar_.Clear();
    return report_;
  }

 private:
  ExitCode FirstAnswers(size_t i) {
    KindReport kind{.text = kinds_[i].text, .weight = kinds_[i].weight};
    inference::ModelInferRequest request = requests_[i].request;
    const auto& shape = request.inputs(0).shape();
    if (shape.size() >= 2) kind.items = shape[0];
    AskForTiming(request);
    bar_.Show(0, "first answers: " + kind.text);
    for (auto* taken : {&kind.first_answer, &kind.second_answer}) {
      const auto start = std::chrono::steady_clock::now();
      const auto answer = session_.client().ModelInfer(request);
      if (!answer.ok()) {
        bar_.Clear();
        return session_.CallFailed(answer.status());
      }
      *taken = std::chrono::steady_clock::now() - start;
      if (taken != &kind.first_answer) break;
      if (const auto timing = ReadTiming(*answer)) kind.cold = timing->cold;
      answered_.insert({kinds_[i].model, answer->model_version()});
    }
    report_.kinds.push_back(std::move(kind));
    return kDone;
  }

  // What a server does not tell is left out. By a client of its own: the session's may have used
  // up its time on the load.
  StatisticsByModel Statistics() const {
    const Options& options = session_.options();
    Client client(options.server, options.credentials, options.timeout_seconds);
    StatisticsByModel all;
    for (const auto& [model, version] : answered_) {
      const auto response = client.ModelStatistics(model, version);
      if (response.ok() && response->model_stats_size() == 1) {
        all[{model, version}] = response->model_stats(0);
      }
    }
    return all;
  }

  LoadLevelReport Measure(LoadLevel level, double done, double share) {
    const BenchOptions& options = session_.options().bench;
    const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(options.window_seconds));
    LoadGenerator load(session_.options().server, session_.options().credentials, requests_, level,
                       options.seed);
    bar_.Show(done, "connecting");
    LoadLevelReport report{.level = level};
    // Connecting, and what a server does for the first requests, is not in the windows.
    LoadWindow apart = load.Run(time / 2);
    const StatisticsByModel before = Statistics();
    // Nor are those that were answered while that was asked for, and wait to be taken since.
    apart.Add(load.Run(kLeastMoment));
    Count(apart, report);
    std::vector<LoadWindow> last;
    double seconds = 0;
    for (int i = 0; i < options.most_windows && !report.stable; ++i) {
      if (last.size() == kStableWindows) last.erase(last.begin());
      last.push_back(RunWindow(load, time, seconds, report, [&](double part, double rate) {
        const double windows = (i + part) / options.most_windows;
        bar_.Show(done + share * windows,
                  level.rate > 0
                      ? fmt::format("{:g} requests/s wanted, {:.0f} answered", level.rate, rate)
                      : fmt::format("{} clients, {:.0f} requests/s", level.clients, rate));
      }));
      Count(last.back(), report);
      report.stable = last.size() == kStableWindows && AreStable(last);
    }
    report.server = ServerTimesBetween(before, Statistics());
    // Of a closed loop no client waits for longer than for its answer.
    if (level.rate > 0) {
      const LoadWindow late = load.Drain();
      Count(late, report);
      last.back().Add(late);
    }
    for (const LoadWindow& window : last) report.measured.Add(window);
    return report;
  }

  static void Count(const LoadWindow& window, LoadLevelReport& report) {
    for (const auto& [code, latencies] : window.errors) report.errors[code] += latencies.count();
  }

  template <typename Show>
  LoadWindow RunWindow(LoadGenerator& load, std::chrono::nanoseconds time, double& seconds,
                       LoadLevelReport& report, const Show& show) {
    const auto moments = std::clamp<int64_t>(time / kLeastMoment, 1, kMostMoments);
    LoadWindow window;
    for (int64_t i = 0; i < moments; ++i) {
      const LoadWindow moment = load.Run(time / moments);
      seconds += std::chrono::duration<double>(moment.time).count();
      if (moment.latencies.count() > 0) {
        report.moments.push_back({.seconds = seconds,
                                  .per_second = moment.per_second(),
                                  .p50 = moment.latencies.Percentile(0.5),
                                  .p99 = moment.latencies.Percentile(0.99),
                                  .max = moment.latencies.max()});
      }
      window.Add(moment);
      show(static_cast<double>(i + 1) / static_cast<double>(moments), moment.per_second());
    }
    return window;
  }

  Session& session_;
  const std::vector<RequestKind> kinds_;
  ProgressBar bar_;
  std::vector<WeightedRequest> requests_;
  std::set<std::pair<std::string, std::string>> answered_;  // models and versions
  LoadReport report_;
};

void Print(const LoadReport& report, BenchFormat format, std::ostream& out) {
  switch (format) {
    case BenchFormat::kText:
      return text::Print(report, out);
    case BenchFormat::kJson:
      return json::Print(report, out);
    case BenchFormat::kMarkdown:
      return markdown::Print(report, out);
  }
}

ExitCode CheckErrors(Session& session, const LoadReport& report) {
  std::map<int, uint64_t> errors;
  bool answered = true;
  for (const LoadLevelReport& level : report.levels) {
    for (const auto& [code, count] : level.errors) errors[code] += count;
    answered = answered && level.measured.latencies.count() > 0;
  }
  std::string text;
  for (const auto& [code, count] : errors) {
    text += fmt::format("{}{} {}", text.empty() ? ": " : ", ", count,
                        absl::StatusCodeToString(static_cast<absl::StatusCode>(code)));
  }
  if (!errors.empty()) return session.Fail(kRefused, "some requests failed" + text);
  if (!answered) return session.Fail(kRefused, "no request was answered in time");
  return kDone;
}

}  // namespace

ExitCode Bench(Session& session) {
  const BenchOptions& options = session.options().bench;
  auto kinds = KindsOf(session.options());
  if (!kinds.ok()) return session.Fail(kUsage, Message(kinds.status()));
  // Not after minutes of load.
  const auto cannot_be_written = [&] {
    return session.Fail(kUsage, options.plot_file + ": cannot be written");
  };
  const bool plots = !options.plot_file.empty();
  if (plots && !std::ofstream(options.plot_file, std::ios::app)) return cannot_be_written();
  Benchmark benchmark(session, *std::move(kinds));
  if (const ExitCode code = benchmark.Prepare(); code != kDone) return code;
  const LoadReport& report = benchmark.Run();
  Print(report, options.format, session.out());
  if (plots) {
    std::ofstream plot(options.plot_file);
    svg::Print(report, plot);
    if (!plot.flush()) return cannot_be_written();
  }
  return CheckErrors(session, report);
}

}  // namespace lazynet::cli
