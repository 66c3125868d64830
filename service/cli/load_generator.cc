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
  for (const auto& [code, count] : other.errors) errors[code] += count;
  unsent += other.unsent;
  time += other.time;
}

double LoadWindow::per_second() const {
  const double seconds = std::chrono::duration<double>(time).count();
  return seconds > 0 ? static_cast<double>(latencies.count()) / seconds : 0;
}

struct LoadGenerator::Parts {
  struct Call {
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
    Clock::time_point due;
  };

  Parts(const std::string& server, const Credentials& credentials,
        const inference::ModelInferRequest& message, LoadLevel how, uint64_t seed)
      : stub(Connect(server, credentials)),
        request(Serialize(message)),
        level(how),
        random(seed),
        gap(how.rate > 0 ? how.rate : 1) {}

  bool open() const { return level.rate > 0; }

  void Send(Clock::time_point due) {
    if (free.empty()) free.push_back(calls.emplace_back(std::make_unique<Call>()).get());
    Call* call = free.back();
    free.pop_back();
    call->due = due;
    call->context.emplace();
    call->context->set_deadline(std::chrono::system_clock::now() + kCallTime);
    call->reader = stub.PrepareUnaryCall(&*call->context, kMethod, request, &queue);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
    ++under_way;
  }

  void Take(Call* call, LoadWindow& window) {
    --under_way;
    if (call->status.ok()) {
      window.latencies.Record(Clock::now() - call->due);
    } else {
      ++window.errors[call->status.error_code()];
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
  const grpc::ByteBuffer request;
  const LoadLevel level;
  std::mt19937_64 random;
  std::exponential_distribution<double> gap;  // seconds
  Clock::time_point next;                     // request of an open loop
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<Call*> free;
  size_t under_way = 0;
};

LoadGenerator::LoadGenerator(const std::string& server, const Credentials& credentials,
                             const inference::ModelInferRequest& request, LoadLevel level,
                             uint64_t seed)
    : parts_(std::make_unique<Parts>(server, credentials, request, level, seed)) {}

LoadGenerator::~LoadGenerator() {
  for (const auto& call : parts_->calls) {
    if (call->context) call->context->TryCancel();
  }
  LoadWindow ignored;
  while (parts_->under_way > 0) {
    void* tag = nullptr;
    bool ok = false;
    if (!parts_->queue.Next(&tag, &ok)) break;
    parts_->Take(static_cast<Parts::Call*>(tag), ignored);
  }
  parts_->queue.Shutdown();
}

LoadWindow LoadGenerator::Run(std::chrono::nanoseconds time) {
  LoadWindow window;
  const Clock::time_point start = Clock::now();
  const Clock::time_point end = start + time;
  parts_->next = start + parts_->NextGap();
  Clock::time_point now = start;
  while (now < end) {
    parts_->SendDue(now, window);
    const Clock::time_point until = parts_->open() ? std::min(end, parts_->next) : end;
    if (Parts::Call* call = parts_->Wait(until)) parts_->Take(call, window);
    now = Clock::now();
  }
  window.time = now - start;
  return window;
}

}  // namespace lazynet::cli
