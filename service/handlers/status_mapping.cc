#include "service/handlers/status_mapping.h"

#include <string>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

// Trailers share gRPC's default limit of 8 KiB of metadata, percent-encoded.
constexpr size_t kMaxMessageBytes = 2000;

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(Message(status));
  if (message.size() > kMaxMessageBytes) message = message.substr(0, kMaxMessageBytes) + "...";
  return {static_cast<grpc::StatusCode>(status.code()), message};
}

}  // namespace lazynet::handlers
