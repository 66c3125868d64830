#include "service/server/poller.h"

#include <utility>

#include "service/handlers/completion_tag.h"
#include "service/scheduling/time_slice.h"
#include "service/server/grpc_time.h"

namespace lazynet::server {
namespace {

using grpc::CompletionQueue;

constexpr std::chrono::milliseconds kBetweenLooks{20};

// A look at the clock is a part of what a tiny request takes, which is three or four events.
constexpr int kEventsBetweenClocks = 4;

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
  scheduling::AskForShortTimeSlices();
  handlers::PollerLane lane(lanes);
  auto next_look = Clock::now();
  int events = 0;  // since the clock was looked at
  while (true) {
    if (queues_.size() > 1 && events == 0 && Clock::now() >= next_look) {
      LookAtOthers();
      next_look = Clock::now() + kBetweenLooks;
    }
    switch (Wait(lane, queues_.size() > 1 ? next_look : Clock::time_point::max())) {
      case CompletionQueue::SHUTDOWN:
        return;
      case CompletionQueue::TIMEOUT:
        events = 0;
        break;
      case CompletionQueue::GOT_EVENT:
        events = (events + 1) % kEventsBetweenClocks;
    }
  }
}

// For an event of the first queue, and does what it asks for.
CompletionQueue::NextStatus Poller::Wait(handlers::PollerLane& lane, Clock::time_point until) {
  void* tag = nullptr;
  bool ok = false;
  const CompletionQueue::NextStatus status = queues_.front()->AsyncNext(
      &tag, &ok, lane.keeps() ? gpr_inf_past(GPR_CLOCK_MONOTONIC) : ToGrpc(until));
  if (status == CompletionQueue::TIMEOUT && lane.keeps()) lane.RunKept();
  if (status == CompletionQueue::GOT_EVENT) {
    Proceed(tag, ok);
    lane.HandOverIfLate();
  }
  return status;
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
