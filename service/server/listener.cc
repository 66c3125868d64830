#include "service/server/listener.h"

#include <utility>

#include "service/handlers/completion_tag.h"
#include "service/handlers/poller_lane.h"

namespace lazynet::server {

Listener::Listener(std::string address, int max_message_bytes,
                   const std::vector<grpc::Service*>& services)
    : address_(std::move(address)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials(), &port_);
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.SetMaxReceiveMessageSize(max_message_bytes);
  builder.SetMaxSendMessageSize(-1);
  // Otherwise another process on the same port would silently take a share of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
}

void Listener::StartPolling(scheduling::Lanes& lanes) {
  poller_ = std::thread([this, &lanes] { Poll(lanes); });
}

void Listener::Poll(scheduling::Lanes& lanes) {
  handlers::PollerLane lane(lanes);
  void* tag = nullptr;
  bool ok = false;
  while (true) {
    if (lane.keeps()) {
      const auto got = queue_->AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_REALTIME));
      if (got == grpc::CompletionQueue::TIMEOUT) {
        lane.RunKept();
        continue;
      }
      lane.HandOverKept();
      if (got == grpc::CompletionQueue::SHUTDOWN) return;
    } else if (!queue_->Next(&tag, &ok)) {
      return;
    }
    static_cast<handlers::CompletionTag*>(tag)->Proceed(ok);
  }
}

void Listener::Shutdown(std::chrono::system_clock::time_point deadline) {
  if (server_ != nullptr) server_->Shutdown(deadline);
}

void Listener::StopPolling() {
  queue_->Shutdown();
  if (poller_.joinable()) {
    poller_.join();
    return;
  }
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
  }
}

}  // namespace lazynet::server
