#include "service/cli/load_generator.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/prctl.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace lazynet::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kMethod = "/inference.GRPCInferenceService/ModelInfer";

// Of one call; an answer that takes longer is an error.
constexpr std::chrono::seconds kCallTime{60};

// Calls of an open loop that may be under way.
constexpr size_t kMostCalls = 4096;

grpc::ByteBuffer Serialize(const inference::ModelInferRequest& request) {
  const grpc::Slice slice(request.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

void LoadWindow::Add(const LoadWindow& other) {
  latencies.Add(other.latencies);
  if (by_request.size() < other.by_request.size()) by_request.resize(other.by_request.size());
  for (size_t i = 0; i < other.by_request.size(); ++i) by_request[i].Add(other.by_request[i]);
  late += other.late;
  for (const auto& [code, failed] : other.errors) errors[code].Add(failed);
  unsent += other.unsent;
  time += other.time;
}

double LoadWindow::per_second() const {
  const double seconds = std::chrono::duration<double>(time).count();
  return seconds > 0 ? static_cast<double>(latencies.count() - late) / seconds : 0;
}

// Late answers are few, and spread as the others are.
double LoadWindow::per_second(size_t request) const {
  if (latencies.count() == 0) return 0;
  const auto all = static_cast<double>(latencies.count());
  return per_second() * static_cast<double>(by_request[request].count()) / all;
}

struct LoadGenerator::Parts {
  struct Call {
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
    Clock::time_point due;
    size_t request = 0;
  };

  Parts(const std::string& server, const Credentials& credentials,
        const std::vector<WeightedRequest>& weighted, LoadLevel how, uint64_t seed)
      : stub(Connect(server, credentials)),
        level(how),
        random(seed),
        gap(how.rate > 0 ? how.rate : 1) {
    std::vector<double> weights;
    for (const WeightedRequest& one : weighted) {
      requests.push_back(Serialize(one.request));
      weights.push_back(one.weight);
    }
    choice = std::discrete_distribution<size_t>(weights.begin(), weights.end());
    ahead = NextGap();
  }

  LoadWindow NewWindow() const {
    LoadWindow window;
    window.by_request.resize(requests.size());
    return window;
  }

  bool open() const { return level.rate > 0; }

  // With the mutex held, as all below but SendUntil and ReceiveUntil.
  void Send(Clock::time_point due) {
    if (free.empty()) free.push_back(calls.emplace_back(std::make_unique<Call>()).get());
    Call* call = free.back();
    free.pop_back();
    call->due = due;
    call->request = requests.size() > 1 ? choice(random) : 0;
    call->context.emplace();
    call->context->set_deadline(std::chrono::system_clock::now() + kCallTime);
    call->reader = stub.PrepareUnaryCall(&*call->context, kMethod, requests[call->request], &queue);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
    ++under_way;
  }

  void Take(Call* call, LoadWindow& window) {
    --under_way;
    const Clock::duration latency = Clock::now() - call->due;
    if (call->status.ok()) {
      window.latencies.Record(latency);
      window.by_request[call->request].Record(latency);
    } else {
      window.errors[call->status.error_code()].Record(latency);
    }
    call->response.Clear();
    free.push_back(call);
  }

  Clock::duration NextGap() {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(gap(random)));
  }

  void SendToAll() {
    while (under_way < static_cast<size_t>(level.clients)) Send(Clock::now());
  }

  // Says how many were due by now and could not be sent.
  uint64_t SendDue() {
    uint64_t unsent = 0;
    for (const Clock::time_point now = Clock::now(); next <= now; next += NextGap()) {
      if (under_way < kMostCalls) {
        Send(next);
      } else {
        ++unsent;
      }
    }
    return unsent;
  }

  // Sends what is due, each when it is, until the end. As waits of gRPC's are longer than asked
  // for, up to a millisecond, who waits for answers cannot do that.
  uint64_t SendUntil(Clock::time_point end) {
    prctl(PR_SET_TIMERSLACK, 1);  // nanosecond
    uint64_t unsent = 0;
    while (true) {
      Clock::time_point until;
      {
        const std::lock_guard lock(mutex);
        unsent += SendDue();
        until = std::min(next, end);
      }
      std::this_thread::sleep_until(until);
      if (until == end) return unsent;
    }
  }

  void ReceiveUntil(Clock::time_point end, LoadWindow& window) {
    while (true) {
      const auto left =
          std::chrono::duration_cast<std::chrono::system_clock::duration>(end - Clock::now());
      if (left.count() <= 0) return;
      void* tag = nullptr;
      bool ok = false;
      if (queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + left) !=
          grpc::CompletionQueue::GOT_EVENT) {
        continue;
      }
      const std::lock_guard lock(mutex);
      Take(static_cast<Call*>(tag), window);
      if (!open()) SendToAll();
    }
  }

  grpc::GenericStub stub;
  grpc::CompletionQueue queue;
  std::vector<grpc::ByteBuffer> requests;
  std::discrete_distribution<size_t> choice;
  const LoadLevel level;

  std::mutex mutex;  // guards what is below: of an open loop one thread sends, another receives
  std::mt19937_64 random;
  std::exponential_distribution<double> gap;  // seconds
  Clock::time_point next;                     // request of an open loop, while it runs
  Clock::duration ahead{0};                   // the next request is, while it does not
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<Call*> free;
  size_t under_way = 0;
};

LoadGenerator::LoadGenerator(const std::string& server, const Credentials& credentials,
                             const std::vector<WeightedRequest>& requests, LoadLevel level,
                             uint64_t seed)
    : parts_(std::make_unique<Parts>(server, credentials, requests, level, seed)) {}

LoadGenerator::~LoadGenerator() {
  for (const auto& call : parts_->calls) {
    if (call->context) call->context->TryCancel();
  }
  Drain();
  parts_->queue.Shutdown();
}

LoadWindow LoadGenerator::Drain() {
  LoadWindow window = parts_->NewWindow();
  void* tag = nullptr;
  bool ok = false;
  while (parts_->under_way > 0 && parts_->queue.Next(&tag, &ok)) {
    parts_->Take(static_cast<Parts::Call*>(tag), window);
  }
  window.late = window.latencies.count();
  return window;
}

LoadWindow LoadGenerator::Run(std::chrono::nanoseconds time) {
  LoadWindow window = parts_->NewWindow();
  const Clock::time_point start = Clock::now();
  const Clock::time_point end = start + time;
  if (parts_->open()) {
    parts_->next = start + parts_->ahead;
    std::thread sender([&] { window.unsent = parts_->SendUntil(end); });
    parts_->ReceiveUntil(end, window);
    sender.join();
  } else {
    {
      const std::lock_guard lock(parts_->mutex);
      parts_->SendToAll();
    }
    parts_->ReceiveUntil(end, window);
  }
  const Clock::time_point now = Clock::now();
  parts_->ahead = parts_->next - now;
  window.time = now - start;
  return window;
}

}  // namespace lazynet::cli
