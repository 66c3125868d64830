#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lazynet::cli {

// How often each latency came, to 1/64 of its length, from 1 ns to 18 minutes; longer ones count as
// the longest. Memory does not grow with their number.
class LatencyHistogram {
 public:
  LatencyHistogram();

  void Record(std::chrono::nanoseconds latency);
  void Add(const LatencyHistogram& other);

  uint64_t count() const { return count_; }
  std::chrono::nanoseconds mean() const;
  std::chrono::nanoseconds max() const { return max_; }

  // The latency that a share of them (0 to 1) does not exceed; 0 of none.
  std::chrono::nanoseconds Percentile(double share) const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  std::chrono::nanoseconds sum_{0};
  std::chrono::nanoseconds max_{0};
};

}  // namespace lazynet::cli
