#include "service/cli/load_generator.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

namespace lazynet::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kMethod = "/inference.GRPCInferenceService/ModelInfer";

// Of one call; an answer that takes longer is an error.
constexpr std::chrono::seconds kCallTime{60};

// Calls of an open loop that may be under way.
constexpr size_t kMostCalls = 4096;

// Waits of gRPC's are not more precise than this: shorter ones are spent asking.
constexpr std::chrono::microseconds kPreciseWait{1000};

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

  // Sends what is due by now.
  void SendDue(Clock::time_point now, LoadWindow& window) {
    if (!open()) {
      while (under_way < static_cast<size_t>(level.clients)) Send(Clock::now());
      return;
    }
    for (; next <= now; next += NextGap()) {
      if (under_way < kMostCalls) {
        Send(next);
      } else {
        ++window.unsent;
      }
    }
  }

  // Until an answer comes, or it is time.
  Call* Wait(Clock::time_point until) {
    const Clock::duration left = until - Clock::now();
    const bool precise = open() && left < kPreciseWait;
    const auto deadline =
        std::chrono::system_clock::now() +
        (precise ? std::chrono::system_clock::duration(0)
                 : std::chrono::duration_cast<std::chrono::system_clock::duration>(left));
    void* tag = nullptr;
    bool ok = false;
    const auto got = queue.AsyncNext(&tag, &ok, deadline);
    return got == grpc::CompletionQueue::GOT_EVENT ? static_cast<Call*>(tag) : nullptr;
  }

  grpc::GenericStub stub;
  grpc::CompletionQueue queue;
  std::vector<grpc::ByteBuffer> requests;
  std::discrete_distribution<size_t> choice;
  const LoadLevel level;
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
  parts_->next = start + parts_->ahead;
  Clock::time_point now = start;
  while (now < end) {
    parts_->SendDue(now, window);
    const Clock::time_point until = parts_->open() ? std::min(end, parts_->next) : end;
    if (Parts::Call* call = parts_->Wait(until)) parts_->Take(call, window);
    now = Clock::now();
  }
  parts_->ahead = parts_->next - now;
  window.time = now - start;
  return window;
}

}  // namespace lazynet::cli
