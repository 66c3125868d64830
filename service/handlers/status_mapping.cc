#include "service/handlers/status_mapping.h"

#include <cstdint>
#include <string>

#include "absl/strings/cord.h"
#include "engine/core/status.h"
#include "proto/google/rpc/status.pb.h"

namespace lazynet::handlers {
namespace {

// Trailers share gRPC's default limit of 8 KiB of metadata, percent-encoded.
constexpr size_t kMaxMessageBytes = 2000;

// A payload of an absl::Status, and the type of a detail of google.rpc.Status.
constexpr const char* kRetryInfo = "type.googleapis.com/google.rpc.RetryInfo";

// Not in the middle of a character: messages go into strings of protobuf too, which are UTF-8.
void Cut(std::string& message) {
  if (message.size() <= kMaxMessageBytes) return;
  const auto is_inside = [](char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; };
  size_t end = kMaxMessageBytes;
  while (end > 0 && is_inside(message[end])) --end;
  message.resize(end);
  message += "...";
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(Message(status));
  Cut(message);
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const auto retry = status.GetPayload(kRetryInfo);
  if (!retry) return {code, message};
  google::rpc::Status detailed;
  detailed.set_code(code);
  detailed.set_message(message);
  auto& detail = *detailed.add_details();
  detail.set_type_url(kRetryInfo);
  detail.set_value(std::string(*retry));
  return {code, message, detailed.SerializeAsString()};
}

absl::Status WithRetry(absl::Status status, std::chrono::nanoseconds delay) {
  using std::chrono::duration_cast;
  const auto seconds = duration_cast<std::chrono::seconds>(delay);
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(seconds.count());
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>((delay - seconds).count()));
  status.SetPayload(kRetryInfo, absl::Cord(info.SerializeAsString()));
  return status;
}

}  // namespace lazynet::handlers
