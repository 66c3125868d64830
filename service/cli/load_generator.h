#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proto/inference.pb.h"
#include "service/cli/channel.h"
#include "service/cli/latency_histogram.h"

namespace lazynet::cli {

// How requests come: each of so many clients sends one when it has an answer (closed loop), or, if
// `rate` is not 0, so many a second come whether others were answered or not (open loop, Poisson).
struct LoadLevel {
  int clients = 1;
  double rate = 0;
};

// A request and how often it is sent among the others, in proportion to the sum of their weights.
struct WeightedRequest {
  inference::ModelInferRequest request;
  double weight = 1;
};

// What came back in some time.
struct LoadWindow {
  LatencyHistogram latencies;                // of what was answered
  std::vector<LatencyHistogram> by_request;  // the same, in the order of the requests
  uint64_t late = 0;  // of them: of an open loop, answered when the time was over
  std::map<int, LatencyHistogram> errors;  // of the others, by gRPC's code
  uint64_t unsent = 0;                     // of an open loop, as too many were under way already
  std::chrono::nanoseconds time{0};

  void Add(const LoadWindow& other);

  // Answers in time: of all, of one of the requests.
  double per_second() const;
  double per_second(size_t request) const;
};

// Sends requests again and again, from one thread that only passes bytes on; for an open loop from
// two, of which one sends each request when it is due. A latency of an open loop is from the moment
// when the request should have been sent, so that a server that makes the generator wait is not the
// better for it (no coordinated omission).
class LoadGenerator {
 public:
  // The seed is that of the times of an open loop and of which request is sent.
  LoadGenerator(const std::string& server, const Credentials& credentials,
                const std::vector<WeightedRequest>& requests, LoadLevel level, uint64_t seed);

  // Cancels what is under way.
  ~LoadGenerator();

  // Goes on for so long. Between two calls nothing is sent, and an open loop's clock stands still.
  LoadWindow Run(std::chrono::nanoseconds time);

  // Sends nothing, and waits for what is under way: late answers, without time. What a server made
  // wait until the end is so among the latencies of an open loop.
  LoadWindow Drain();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lazynet::cli
