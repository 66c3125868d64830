#include "service/server/poller.h"

#include <utility>

#include "service/handlers/completion_tag.h"
#include "service/server/grpc_time.h"

namespace lazynet::server {
namespace {

using grpc::CompletionQueue;

constexpr std::chrono::milliseconds kBetweenLooks{20};

void Proceed(void* tag, bool ok) { static_cast<handlers::CompletionTag*>(tag)->Proceed(ok); }

}  // namespace

Poller::Poller(std::vector<grpc::ServerCompletionQueue*> queues, scheduling::Lanes& lanes)
    : queues_(std::move(queues)), thread_([this, &lanes] { Poll(lanes); }) {}

Poller::~Poller() {
  for (grpc::ServerCompletionQueue* queue : queues_) queue->Shutdown();
  thread_.join();
  for (grpc::ServerCompletionQueue* queue : queues_) {
    void* tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) Proceed(tag, ok);
  }
}

void Poller::Poll(scheduling::Lanes& lanes) {
  handlers::PollerLane lane(lanes);
  auto next_look = Clock::now();
  while (true) {
    if (queues_.size() > 1 && Clock::now() >= next_look) {
      LookAtOthers();
      next_look = Clock::now() + kBetweenLooks;
    }
    if (!Wait(lane, queues_.size() > 1 ? next_look : Clock::time_point::max())) return;
  }
}

// For an event of the first queue, and does what it asks for. False when that is shut down.
bool Poller::Wait(handlers::PollerLane& lane, Clock::time_point until) {
  void* tag = nullptr;
  bool ok = false;
  switch (queues_.front()->AsyncNext(
      &tag, &ok, lane.keeps() ? gpr_inf_past(GPR_CLOCK_MONOTONIC) : ToGrpc(until))) {
    case CompletionQueue::TIMEOUT:
      if (lane.keeps()) lane.RunKept();
      return true;
    case CompletionQueue::SHUTDOWN:
      return false;
    case CompletionQueue::GOT_EVENT:
      break;
  }
  Proceed(tag, ok);
  lane.HandOverIfLate();
  return true;
}

void Poller::LookAtOthers() {
  for (size_t i = 1; i < queues_.size(); ++i) {
    void* tag = nullptr;
    bool ok = false;
    while (queues_[i]->AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC)) ==
           CompletionQueue::GOT_EVENT) {
      Proceed(tag, ok);
    }
  }
}

}  // namespace lazynet::server
