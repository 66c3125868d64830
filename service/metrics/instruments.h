#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace lazynet::metrics {

// What is counted, as plain atomics: recording takes no lock and allocates nothing. Writers are not
// ordered among each other, so a scrape may see one of two related numbers a moment early.

class Counter {
 public:
  void Add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(int64_t change) { value_.fetch_add(change, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Counts of whole numbers by upper bound, bound included. kPerUnit of them make one exposed unit:
// durations are kept in nanoseconds, whose sum is exact, and exposed in seconds.
template <const auto& kUpperBounds, int64_t kPerUnit>
class Histogram {
 public:
  static constexpr size_t kBuckets = kUpperBounds.size() + 1;  // the last one has no bound

  void Observe(int64_t value) {
    value = std::max<int64_t>(value, 0);
    const auto bound = std::lower_bound(kUpperBounds.begin(), kUpperBounds.end(), value);
    counts_[bound - kUpperBounds.begin()].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  static double upper_bound(size_t bucket) { return ToUnit(kUpperBounds[bucket]); }
  uint64_t count(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  double sum() const { return ToUnit(sum_.load(std::memory_order_relaxed)); }

 private:
  static double ToUnit(int64_t value) {
    return static_cast<double>(value) / static_cast<double>(kPerUnit);
  }

  std::array<std::atomic<uint64_t>, kBuckets> counts_{};
  std::atomic<int64_t> sum_{0};
};

inline constexpr int64_t kMicrosecond = 1'000;
inline constexpr int64_t kMillisecond = 1'000'000;
inline constexpr int64_t kSecond = 1'000'000'000;

inline constexpr std::array<int64_t, 20> kDurationBounds = {
    10 * kMicrosecond,    25 * kMicrosecond,  50 * kMicrosecond,  100 * kMicrosecond,
    250 * kMicrosecond,   500 * kMicrosecond, 1 * kMillisecond,   2'500 * kMicrosecond,
    5 * kMillisecond,     10 * kMillisecond,  25 * kMillisecond,  50 * kMillisecond,
    100 * kMillisecond,   250 * kMillisecond, 500 * kMillisecond, 1 * kSecond,
    2'500 * kMillisecond, 5 * kSecond,        10 * kSecond,       30 * kSecond};
inline constexpr std::array<int64_t, 11> kBatchSizeBounds = {1,  2,   4,   8,   16,  32,
                                                             64, 128, 256, 512, 1024};

// Seconds to a week.
inline constexpr std::array<int64_t, 8> kAgeBounds = {
    1 * kSecond,     10 * kSecond,     60 * kSecond,     600 * kSecond,
    3'600 * kSecond, 21'600 * kSecond, 86'400 * kSecond, 604'800 * kSecond};

using AgeHistogram = Histogram<kAgeBounds, kSecond>;
using DurationHistogram = Histogram<kDurationBounds, kSecond>;
using BatchSizeHistogram = Histogram<kBatchSizeBounds, 1>;

}  // namespace lazynet::metrics
