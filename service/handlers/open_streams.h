#pragma once

#include <mutex>
#include <set>

namespace lazynet::handlers {

class InferStream;

// The streams that clients hold open, so that a server that stops need not wait for them. Safe for
// use by many threads.
class OpenStreams {
 public:
  // A stream that comes during a drain is drained at once.
  void Add(InferStream& stream);
  void Remove(InferStream& stream);

  // Ends the reading on all of them: what was read is answered, then they end as UNAVAILABLE.
  void Drain();

 private:
  std::mutex mutex_;  // guards both
  std::set<InferStream*> open_;
  bool draining_ = false;
};

}  // namespace lazynet::handlers
