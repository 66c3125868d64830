#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace grpc {
class ServerContextBase;
}

namespace lazynet::handlers {

// What a request belongs to, as W3C Trace Context and OpenTelemetry name it.
struct TraceContext {
  std::string trace_id;  // 32 hexadecimal digits
  std::string span_id;   // 16; of the caller
};

// Reads a `traceparent`: version-trace_id-parent_id-flags, in lower case. Of a later version than
// 00 what stands behind the flags is passed over. Nothing for all else, as the standard wants.
std::optional<TraceContext> ParseTraceparent(std::string_view text);

// Of a call's metadata; nothing where it has none, or several.
std::optional<TraceContext> TraceContextOf(const grpc::ServerContextBase& context);

}  // namespace lazynet::handlers
