#include "service/cli/svg_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "service/cli/op_color.h"
#include "service/cli/plan_format.h"
#include "service/cli/svg_text.h"
#include "service/cli/text_format.h"

namespace lazynet::cli::svg {
namespace {

constexpr int kRow = 20;
constexpr int kMargin = 20;
constexpr int kGap = 16;      // between columns
constexpr size_t kCells = 5;  // layer, op, kernel, output, work
constexpr int kTrack = 7;     // between lines beside each other
constexpr int kMaxTracks = 16;
constexpr int kBar = 260;  // the longest one

struct Row {
  std::vector<std::string> cells;  // kCells
  std::string_view color;
  std::vector<size_t> sources;  // rows above
  int track = 0;                // if it is read further down than in the next row
  double time = -1;             // of a step
  std::string time_text;
  std::string tip;
};

class Picture {
 public:
  explicit Picture(const v1::DescribePlanResponse& plan) : plan_(plan) {
    AddRows();
    AddTracks();
  }

  void Print(std::ostream& out) const {
    const std::vector<std::string> header = Header();
    const int top = kMargin + static_cast<int>(header.size()) * kRow + kRow / 2;
    const double dots = kMargin + kTrack * (tracks_ + 1);
    std::vector<double> lefts;
    double left = dots + kGap;
    for (size_t cell = 0; cell < kCells; ++cell) {
      lefts.push_back(left);
      const double width = Width(cell);
      if (width > 0) left += width + kGap;
    }
    double width = left + kBar + 22 * kLetter + kMargin;
    for (const std::string& line : header) {
      width = std::max(width, static_cast<double>(line.size()) * kLetter + 2 * kMargin);
    }
    const int height = top + static_cast<int>(rows_.size()) * kRow + kMargin;
    out << Begin(width, height);
    for (size_t i = 0; i < header.size(); ++i) {
      out << fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", kMargin,
                         kMargin + static_cast<int>(i) * kRow + kFontSize,
                         i == 0 ? " font-weight=\"bold\"" : "", Escaped(header[i]));
    }
    const auto middle = [&](size_t row) { return top + (static_cast<double>(row) + 0.5) * kRow; };
    PrintLines(dots, middle, out);
    double longest = 0;
    for (const Row& row : rows_) longest = std::max(longest, row.time);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      const double y = middle(i);
      out << fmt::format("<g><title>{}</title>", Escaped(row.tip));
      out << fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\" stroke=\"#555\"/>", dots, y,
          row.color);
      for (size_t cell = 0; cell < row.cells.size(); ++cell) {
        if (row.cells[cell].empty()) continue;
        out << fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>", lefts[cell],
                           y + kFontSize / 3.0, cell == 0 ? "" : " fill=\"#444\"",
                           Escaped(row.cells[cell]));
      }
      if (row.time >= 0) {
        const double bar = longest > 0 ? std::max(row.time / longest * kBar, 0.5) : 0.5;
        out << fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\" "
            "stroke=\"#999\" stroke-width=\"0.5\"/>",
            left, y - kRow / 2.0 + 3, bar, kRow - 6, row.color);
        out << fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", left + bar + 6,
                           y + kFontSize / 3.0, Escaped(row.time_text));
      }
      out << "</g>\n";
    }
    out << "</svg>\n";
  }

 private:
  bool measured() const { return plan_.profile_runs() > 0; }

  std::vector<std::string> Header() const {
    const PlanTotals totals = Totals(plan_);
    std::vector<std::string> lines = {plan_.name() + " version " + plan_.version() + ": " +
                                      text::TensorsText(plan_.inputs()) + " -> " +
                                      text::TensorsText(plan_.outputs())};
    if (!plan_.has_kernels()) lines.push_back("not bound: ops, without kernels");
    std::string line = fmt::format("{} steps, {}, ", plan_.steps_size(), WorkText(totals.flops));
    line += measured()
                ? fmt::format("{}, the median of {} runs, {}",
                              TimeText(plan_.measured_microseconds()), plan_.profile_runs(),
                              RateText(totals.flops, plan_.measured_microseconds()))
                : fmt::format("about {} by estimate", TimeText(totals.estimated_microseconds));
    lines.push_back(line);
    if (const std::string groups = GroupsText(plan_); !groups.empty()) {
      lines.push_back(groups + "; the steps are of one group");
    }
    return lines;
  }

  std::vector<size_t> RowsOf(const v1::PlanValue& value) const {
    if (value.has_input()) return {value.input()};
    if (value.has_step()) return {static_cast<size_t>(plan_.inputs_size()) + value.step()};
    return {};
  }

  void AddRows() {
    constexpr std::string_view kPortColor = "white";
    for (const v1::BoundInput& input : plan_.inputs()) {
      rows_.push_back({.cells = {input.name(), "input", "", "", ""},
                       .color = kPortColor,
                       .sources = {},
                       .time_text = "",
                       .tip = input.name()});
    }
    const PlanTotals totals = Totals(plan_);
    for (int i = 0; i < plan_.steps_size(); ++i) {
      const v1::PlanStep& step = plan_.steps(i);
      Row& row = rows_.emplace_back();
      row.cells = {step.layer(), OpText(step), step.implementation(),
                   step.has_output() ? ValueText(step.output()) : "",
                   step.flops() > 0 ? WorkText(step.flops()) : ""};
      row.color = OpColor(step.op());
      for (const v1::PlanValue& input : step.inputs()) {
        for (const size_t source : RowsOf(input)) row.sources.push_back(source);
      }
      row.time = measured() ? step.measured_microseconds() : step.estimated_microseconds();
      const double whole =
          measured() ? totals.measured_microseconds : totals.estimated_microseconds;
      row.time_text = TimeText(row.time) + "  " + ShareText(Share(step, row.time, whole), 1);
      row.tip = fmt::format("#{} {} {}: reads {}, of which weights {}, writes {}", i, step.layer(),
                            OpText(step), text::Bytes(step.bytes_read()),
                            text::Bytes(step.weight_bytes()), text::Bytes(step.bytes_written()));
    }
    for (int i = 0; i < plan_.outputs_size(); ++i) {
      Row& row = rows_.emplace_back();
      row.cells = {plan_.outputs(i).name(), "output", "", ValueText(plan_.output_values(i)), ""};
      row.color = kPortColor;
      row.sources = RowsOf(plan_.output_values(i));
      row.tip = plan_.outputs(i).name();
    }
  }

  // Gives each row that is read further down than in the next row a track beside the rows, as near
  // as there is place.
  void AddTracks() {
    std::vector<size_t> last(rows_.size(), 0);
    for (size_t i = 0; i < rows_.size(); ++i) {
      for (const size_t source : rows_[i].sources) {
        if (source + 1 < i) last[source] = i;
      }
    }
    std::vector<size_t> free_from;  // per track
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (last[i] == 0) continue;
      const auto free =
          std::find_if(free_from.begin(), free_from.end(), [&](size_t row) { return row <= i; });
      rows_[i].track = std::min(static_cast<int>(free - free_from.begin()), kMaxTracks - 1);
      const auto at = static_cast<size_t>(rows_[i].track);
      if (at == free_from.size()) free_from.push_back(0);
      free_from[at] = std::max(free_from[at], last[i]);
    }
    tracks_ = static_cast<int>(free_from.size());
  }

  double Width(size_t cell) const {
    size_t letters = 0;
    for (const Row& row : rows_) letters = std::max(letters, row.cells[cell].size());
    return static_cast<double>(letters) * kLetter;
  }

  template <typename Middle>
  void PrintLines(double dots, const Middle& middle, std::ostream& out) const {
    out << "<g fill=\"none\" stroke=\"#888\">\n";
    for (size_t i = 1; i < rows_.size(); ++i) {
      const auto& sources = rows_[i].sources;
      if (std::find(sources.begin(), sources.end(), i - 1) == sources.end()) continue;
      out << fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}\"/>\n", dots, middle(i - 1), middle(i));
    }
    for (size_t i = 1; i < rows_.size(); ++i) {
      for (const size_t source : rows_[i].sources) {
        if (source + 1 >= i) continue;
        const double x = dots - kTrack * (rows_[source].track + 2) + 3;
        out << fmt::format(
            "<path d=\"M{0:.1f} {1:.1f}H{2:.1f}Q{3:.1f} {1:.1f} {3:.1f} {4:.1f}V{5:.1f}"
            "Q{3:.1f} {6:.1f} {2:.1f} {6:.1f}H{0:.1f}\"/>\n",
            dots, middle(source), x + 5, x, middle(source) + 5, middle(i) - 5, middle(i));
      }
    }
    out << "</g>\n";
  }

  const v1::DescribePlanResponse& plan_;
  std::vector<Row> rows_;
  int tracks_ = 0;
};

}  // namespace

void Print(const v1::DescribePlanResponse& plan, std::ostream& out) { Picture(plan).Print(out); }

}  // namespace lazynet::cli::svg
