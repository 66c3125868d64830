#pragma once

#include <chrono>
#include <cstddef>
#include <utility>

#include "service/handlers/calls_in_flight.h"
#include "service/metrics/rpc_probe.h"

namespace lazynet::handlers {

// A method whose calls are recorded.
struct RpcMethod {
  metrics::MethodProbe probe;
  CallsInFlight* in_flight = nullptr;  // null: nobody waits for the ends of its calls
};

// One call of a gRPC method, for gRPC's metrics and, as long as the record exists, among those in
// flight. Not safe for use by several threads at a time.
class RpcRecord {
 public:
  explicit RpcRecord(const RpcMethod& method)
      : probe_(method.probe), in_flight_(method.in_flight) {}
  ~RpcRecord() {
    if (started_ && in_flight_ != nullptr) in_flight_->Remove();
  }
  RpcRecord(const RpcRecord&) = delete;
  RpcRecord& operator=(const RpcRecord&) = delete;

  // The call has come.
  void Start() {
    started_ = true;
    if (in_flight_ != nullptr) in_flight_->Add();
    start_ = std::chrono::steady_clock::now();
    probe_.RecordStarted();
  }

  // A message of so many bytes, as it is after decompression: before, only gRPC's core sees it.
  void Receive(size_t bytes) { received_bytes_ += bytes; }
  void Send(size_t bytes) { sent_bytes_ += bytes; }

  // The call ends with this code. To be called before the client is told, so that whoever has an
  // answer finds it counted. Only the first time counts.
  void End(absl::StatusCode code) {
    if (std::exchange(ended_, true)) return;
    probe_.RecordEnded(code, std::chrono::steady_clock::now() - start_, received_bytes_,
                       sent_bytes_);
  }

 private:
  const metrics::MethodProbe probe_;
  CallsInFlight* const in_flight_;
  bool started_ = false;
  std::chrono::steady_clock::time_point start_;
  size_t received_bytes_ = 0;
  size_t sent_bytes_ = 0;
  bool ended_ = false;
};

}  // namespace lazynet::handlers
