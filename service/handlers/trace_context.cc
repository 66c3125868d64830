#include "service/handlers/trace_context.h"

#include <grpcpp/server_context.h>

#include <algorithm>

namespace lazynet::handlers {
namespace {

constexpr const char* kKey = "traceparent";

// 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
constexpr size_t kTraceIdAt = 3, kTraceIdSize = 32;
constexpr size_t kSpanIdAt = 36, kSpanIdSize = 16;
constexpr size_t kFlagsAt = 53;
constexpr size_t kSize = 55;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kSize) return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (!IsHex(version) || version == "ff") return std::nullopt;
  if (text.size() > kSize && (version == "00" || text[kSize] != '-')) return std::nullopt;
  if (text[kTraceIdAt - 1] != '-' || text[kSpanIdAt - 1] != '-' || text[kFlagsAt - 1] != '-' ||
      !IsHex(text.substr(kFlagsAt, 2))) {
    return std::nullopt;
  }
  const std::string_view trace_id = text.substr(kTraceIdAt, kTraceIdSize);
  const std::string_view span_id = text.substr(kSpanIdAt, kSpanIdSize);
  if (!IsId(trace_id) || !IsId(span_id)) return std::nullopt;
  return TraceContext{std::string(trace_id), std::string(span_id)};
}

std::optional<TraceContext> TraceContextOf(const grpc::ServerContextBase& context) {
  const auto [begin, end] = context.client_metadata().equal_range(kKey);
  if (begin == end || std::next(begin) != end) return std::nullopt;
  return ParseTraceparent({begin->second.data(), begin->second.size()});
}

}  // namespace lazynet::handlers
