#include "service/cli/svg_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "service/cli/bench_tables.h"
#include "service/cli/svg_text.h"

namespace lazynet::cli::svg {
namespace {

// Okabe and Ito's, which most people tell apart.
constexpr std::array<const char*, 7> kColors = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                "#e69f00", "#56b4e9", "#555555"};

constexpr double kPlotWidth = 420;
constexpr double kPlotHeight = 300;
constexpr double kLeft = 80;  // of a plot, for what stands beside its axis
constexpr double kRight = 30;
constexpr double kTop = 60;
constexpr double kBottom = 50;
constexpr double kLegendRow = 18;

using Points = std::vector<std::pair<double, double>>;

// As far as the tail is drawn: "five nines", or as many as there are answers for.
constexpr double kMostNines = 5;

double Nines(double share) { return -std::log10(1 - share); }

double Micros(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

std::string MicrosText(double us) {
  if (us < 1000) return fmt::format("{:g} us", us);
  if (us < 1e6) return fmt::format("{:g} ms", us / 1000);
  return fmt::format("{:g} s", us / 1e6);
}

// An axis: from the values' ends to pixels.
struct Scale {
  double low, high, from, to;

  double operator()(double value) const {
    const double share = high > low ? (value - low) / (high - low) : 0.5;
    return from + std::clamp(share, 0.0, 1.0) * (to - from);
  }
};

class Plot {
 public:
  // The axes' values are those of x, and the logarithm of those of y.
  Plot(double left, Scale x, double least_us, double most_us)
      : left_(left),
        x_(x),
        y_{std::log10(least_us), std::log10(most_us), kTop + kPlotHeight, kTop} {}

  void Frame(const std::string& title, std::ostream& out) const {
    out << fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-weight=\"bold\">{}</text>\n", left_,
                       kTop - 12, Escaped(title));
    out << fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" "
        "stroke=\"#555\"/>\n",
        left_, kTop, kPlotWidth, kPlotHeight);
    for (int exponent = static_cast<int>(std::floor(y_.low)); exponent <= y_.high; ++exponent) {
      for (const double digit : {1.0, 2.0, 5.0}) {
        const double us = digit * std::pow(10, exponent);
        if (std::log10(us) < y_.low - 1e-9 || std::log10(us) > y_.high + 1e-9) continue;
        const double y = y_(std::log10(us));
        out << fmt::format(
            "<path d=\"M{:.1f} {:.1f}h{:.1f}\" stroke=\"#ddd\"/>"
            "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
            left_, y, kPlotWidth, left_ - 6, y + kFontSize / 3.0, MicrosText(us));
      }
    }
  }

  void Tick(double value, const std::string& text, std::ostream& out) const {
    out << fmt::format(
        "<path d=\"M{:.1f} {:.1f}v{:.1f}\" stroke=\"#ddd\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
        x_(value), kTop, kPlotHeight, x_(value), kTop + kPlotHeight + kFontSize + 6, Escaped(text));
  }

  void Line(const Points& points, const char* color, bool dashed, std::ostream& out) const {
    if (points.empty()) return;
    std::string path;
    for (const auto& [x, us] : points) {
      path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "" : " ", x_(x), y_(std::log10(us)));
    }
    // A line of one point is not seen.
    if (points.size() == 1) {
      out << fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\" fill=\"{}\"/>\n",
                         x_(points[0].first), y_(std::log10(points[0].second)), color);
    }
    out << fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"{}/>\n", path,
        color, dashed ? " stroke-dasharray=\"4 3\"" : "");
  }

 private:
  const double left_;
  const Scale x_;
  const Scale y_;
};

// A step of 1, 2 or 5 times a power of ten, of which about five make the length.
double NiceStep(double length) {
  const double step = length / 5;
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (digit * power >= step) return digit * power;
  }
  return 10 * power;
}

Points PercentilesOf(const LatencyHistogram& latencies, double nines) {
  constexpr int kSteps = 200;
  Points points;
  if (latencies.count() == 0) return points;
  // Beyond the last answer's share there is nothing to draw.
  const double last = std::min(nines, std::log10(static_cast<double>(latencies.count())));
  for (int i = 0; i <= kSteps; ++i) {
    const double at = last * i / kSteps;
    points.emplace_back(at, Micros(latencies.Percentile(1 - std::pow(10, -at))));
  }
  return points;
}

Points MomentsOf(const LoadLevelReport& level, std::chrono::nanoseconds LoadMoment::*value) {
  Points points;
  for (const LoadMoment& moment : level.moments) {
    points.emplace_back(moment.seconds, Micros(moment.*value));
  }
  return points;
}

struct Level {
  std::string name;
  const char* color;
  Points percentiles, p50, p99;
};

}  // namespace

void Print(const LoadReport& report, std::ostream& out) {
  std::vector<Level> levels;
  double seconds = 0;
  double least = 1e12, most = 1e-3;
  for (const LoadLevelReport& level : report.levels) {
    Level& drawn = levels.emplace_back();
    drawn.color = kColors[(levels.size() - 1) % kColors.size()];
    drawn.name = fmt::format("{}{}: {:.0f} requests/s", LevelText(level.level),
                             level.level.rate > 0       ? ""
                             : level.level.clients == 1 ? " client"
                                                        : " clients",
                             level.measured.per_second());
    drawn.percentiles = PercentilesOf(level.measured.latencies, kMostNines);
    drawn.p50 = MomentsOf(level, &LoadMoment::p50);
    drawn.p99 = MomentsOf(level, &LoadMoment::p99);
    if (!drawn.p50.empty()) seconds = std::max(seconds, drawn.p50.back().first);
    for (Points* points : {&drawn.percentiles, &drawn.p50, &drawn.p99}) {
      for (auto& [x, us] : *points) {
        us = std::max(us, 1e-3);
        least = std::min(least, us);
        most = std::max(most, us);
      }
    }
  }
  least = std::pow(10, std::floor(std::log10(std::min(least, most))));
  most = std::pow(10, std::ceil(std::log10(most) + 1e-9));
  seconds = std::max(seconds, 1e-3);

  const double second_left = kLeft + kPlotWidth + kRight + kLeft;
  const double width = second_left + kPlotWidth + kRight;
  const double legend = kTop + kPlotHeight + kBottom;
  out << Begin(width, legend + kLegendRow * static_cast<double>(levels.size()) + 10);
  out << fmt::format(
      "<text x=\"{:.1f}\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{}</text>\n", kLeft,
      Escaped(report.model));

  const Plot percentiles(kLeft, {0, kMostNines, kLeft, kLeft + kPlotWidth}, least, most);
  percentiles.Frame("latency by percentile", out);
  for (const auto& [share, text] : {std::pair{0.0, "0 %"},
                                    {0.5, "50"},
                                    {0.9, "90"},
                                    {0.99, "99"},
                                    {0.999, "99.9"},
                                    {0.9999, "99.99"},
                                    {0.99999, "99.999"}}) {
    percentiles.Tick(Nines(share), text, out);
  }
  const Plot time(second_left, {0, seconds, second_left, second_left + kPlotWidth}, least, most);
  time.Frame("latency over time: p50, p99 dashed", out);
  const double step = NiceStep(seconds);
  for (double at = 0; at <= seconds + 1e-9; at += step)
    time.Tick(at, fmt::format("{:g} s", at), out);

  for (size_t i = 0; i < levels.size(); ++i) {
    const Level& level = levels[i];
    percentiles.Line(level.percentiles, level.color, false, out);
    time.Line(level.p50, level.color, false, out);
    time.Line(level.p99, level.color, true, out);
    const double y = legend + kLegendRow * static_cast<double>(i);
    out << fmt::format(
        "<path d=\"M{:.1f} {:.1f}h24\" stroke=\"{}\" stroke-width=\"3\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        kLeft, y, level.color, kLeft + 32, y + kFontSize / 3.0, Escaped(level.name));
  }
  out << "</svg>\n";
}

}  // namespace lazynet::cli::svg
