#pragma once

#include <spdlog/common.h>

#include <memory>
#include <string_view>

#include "service/logging/fields.h"

namespace lazynet::logging {

enum class Format { kText, kJson };

// Text: `2026-01-31T12:00:00.000 info message name=value ...`, local time.
// JSON: {"time":"2026-01-31T12:00:00.000Z","level":"info","message":"...","name":value,...}.
//
// Makes all lines of this process, spdlog's default logger's and gRPC's included, go to `sink` in
// that format. At the start, before others log; the level is spdlog's.
void LogTo(std::shared_ptr<spdlog::sinks::sink> sink, Format format);

// Writes a line with fields, if the level is on. Before LogTo it is a plain line of text.
void Log(spdlog::level::level_enum level, std::string_view message, const Fields& fields);

// Whether a line of this level is written.
bool IsOn(spdlog::level::level_enum level);

}  // namespace lazynet::logging
