#include "service/logging/log.h"

#include <grpc/support/log.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <string>
#include <utility>

namespace lazynet::logging {
namespace {

// Logs lines that are members of a JSON object already; all others have a message to be escaped.
constexpr const char* kJsonLogger = "lazynet-json";

std::atomic<Format> format_of_all{Format::kText};

class JsonMembers final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& line, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    const std::string_view text(line.payload.data(), line.payload.size());
    const bool done =
        std::string_view(line.logger_name.data(), line.logger_name.size()) == kJsonLogger;
    const std::string members = done ? std::string(text) : "\"message\":" + JsonString(text);
    dest.append(members.data(), members.data() + members.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMembers>();
  }
};

std::unique_ptr<spdlog::formatter> MakeFormatter(Format format) {
  if (format == Format::kText) {
    return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  }
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMembers>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%*})");
  return formatter;
}

void LogOfGrpc(gpr_log_func_args* line) {
  const auto level = line->severity == GPR_LOG_SEVERITY_ERROR  ? spdlog::level::err
                     : line->severity == GPR_LOG_SEVERITY_INFO ? spdlog::level::info
                                                               : spdlog::level::debug;
  spdlog::log(level, "gRPC: {}", line->message);
}

}  // namespace

void LogTo(std::shared_ptr<spdlog::sinks::sink> sink, Format format) {
  const auto level = spdlog::get_level();
  sink->set_formatter(MakeFormatter(format));
  spdlog::drop(kJsonLogger);
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("lazynet", sink));
  spdlog::register_logger(std::make_shared<spdlog::logger>(kJsonLogger, std::move(sink)));
  spdlog::set_level(level);
  format_of_all = format;
  gpr_set_log_function(LogOfGrpc);
}

void Log(spdlog::level::level_enum level, std::string_view message, const Fields& fields) {
  if (!IsOn(level)) return;
  if (format_of_all == Format::kText) {
    spdlog::log(level, "{}{}", message, fields.AsText());
  } else if (const auto logger = spdlog::get(kJsonLogger); logger != nullptr) {
    logger->log(level, "\"message\":{}{}", JsonString(message), fields.AsJson());
  }
}

bool IsOn(spdlog::level::level_enum level) { return spdlog::should_log(level); }

}  // namespace lazynet::logging
