#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "service/logging/log.h"

namespace lazynet::testing {

// The lines that are logged while this is there.
class CapturedLog {
 public:
  explicit CapturedLog(logging::Format format, spdlog::level::level_enum level)
      : before_(spdlog::get_level()) {
    spdlog::set_level(level);
    logging::LogTo(std::make_shared<spdlog::sinks::ostream_sink_mt>(text_), format);
  }
  ~CapturedLog() {
    logging::LogTo(std::make_shared<spdlog::sinks::stderr_sink_mt>(), logging::Format::kText);
    spdlog::set_level(before_);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  // When nobody logs any more.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::istringstream text(text_.str());
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

 private:
  const spdlog::level::level_enum before_;
  std::ostringstream text_;
};

}  // namespace lazynet::testing
