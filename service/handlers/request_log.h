#pragma once

#include <spdlog/common.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "service/handlers/trace_context.h"
#include "service/hosting/inference_statistics.h"
#include "service/logging/line_limiter.h"

namespace lazynet::handlers {

// A request that has ended.
struct EndedRequest {
  std::string_view id;  // as the client says, as the next one
  std::string_view model;
  std::string version;  // that answered, or, when none was found, as the client says
  const absl::Status& status;
  const hosting::RequestTimes& times;
  size_t items = 0;  // elements of the batch axis
};

// A line for a request: at debug level for every one, as a warning for one that took longer than a
// limit, as an error for one that failed by the server's fault. Of warnings and of errors at most
// one a second is written, after a burst; the next one says how many were not. Thread-safe.
class RequestLog {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // 0: nothing is slow. `now` is for tests.
  explicit RequestLog(std::chrono::nanoseconds slow,
                      std::function<Time()> now = std::chrono::steady_clock::now);

  // Why there is a line. Cheap; mostly there is none.
  enum class Line { kSlow, kFault, kRequest };
  std::optional<Line> LineFor(const absl::Status& status, std::chrono::nanoseconds total) const;

  void Write(Line line, const EndedRequest& request, const std::optional<TraceContext>& trace);

 private:
  const std::chrono::nanoseconds slow_;
  const std::function<Time()> now_;
  logging::LineLimiter slow_lines_;
  logging::LineLimiter fault_lines_;
};

// A line for a model, or a registered network, that was to be loaded and was refused.
void LogRefusedLoad(std::string_view model, const absl::Status& status);

}  // namespace lazynet::handlers
