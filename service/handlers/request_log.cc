#include "service/handlers/request_log.h"

#include <utility>

#include "engine/core/status.h"
#include "service/logging/log.h"

namespace lazynet::handlers {
namespace {

// Lines of a kind: at once, and a second.
constexpr double kBurst = 10;
constexpr double kPerSecond = 1;

// Codes of which the client is not the cause.
bool IsFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

int64_t Microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

}  // namespace

RequestLog::RequestLog(std::chrono::nanoseconds slow, std::function<Time()> now)
    : slow_(slow),
      now_(std::move(now)),
      slow_lines_(kBurst, kPerSecond),
      fault_lines_(kBurst, kPerSecond) {}

std::optional<RequestLog::Line> RequestLog::LineFor(const absl::Status& status,
                                                    std::chrono::nanoseconds total) const {
  if (IsFault(status.code())) return Line::kFault;
  if (slow_.count() > 0 && total > slow_) return Line::kSlow;
  if (logging::IsOn(spdlog::level::debug)) return Line::kRequest;
  return std::nullopt;
}

void RequestLog::Write(Line line, const EndedRequest& request,
                       const std::optional<TraceContext>& trace) {
  const auto level = line == Line::kFault  ? spdlog::level::err
                     : line == Line::kSlow ? spdlog::level::warn
                                           : spdlog::level::debug;
  if (!logging::IsOn(level)) return;
  uint64_t dropped = 0;
  if (line != Line::kRequest) {
    const auto taken = (line == Line::kFault ? fault_lines_ : slow_lines_).Take(now_());
    if (!taken) return;
    dropped = *taken;
  }
  const hosting::RequestTimes& times = request.times;
  logging::Fields fields;
  fields.Add("request_id", request.id)
      .Add("model", request.model)
      .Add("version", request.version)
      .Add("code", absl::StatusCodeToString(request.status.code()));
  if (!request.status.ok()) fields.Add("error", Message(request.status));
  fields.Add("items", static_cast<int64_t>(request.items))
      .Add("build_us", Microseconds(times.build))
      .Add("queue_us", Microseconds(times.queue))
      .Add("compute_input_us", Microseconds(times.compute_input))
      .Add("compute_infer_us", Microseconds(times.compute_infer))
      .Add("compute_output_us", Microseconds(times.compute_output))
      .Add("total_us", Microseconds(times.total));
  if (trace) fields.Add("trace_id", trace->trace_id).Add("span_id", trace->span_id);
  if (dropped > 0) fields.Add("lines_dropped", static_cast<int64_t>(dropped));
  logging::Log(level,
               line == Line::kFault  ? "request failed"
               : line == Line::kSlow ? "slow request"
                                     : "request",
               fields);
}

void LogRefusedLoad(std::string_view model, const absl::Status& status) {
  logging::Log(spdlog::level::err, "load refused",
               logging::Fields()
                   .Add("model", model)
                   .Add("code", absl::StatusCodeToString(status.code()))
                   .Add("error", Message(status)));
}

}  // namespace lazynet::handlers
