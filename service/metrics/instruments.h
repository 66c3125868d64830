#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace lazynet::metrics {

// What is counted, as plain atomics: recording takes no lock, and allocates nothing but a
// histogram's counts with its first value. Writers are not ordered among each other, so a scrape
// may see one of two related numbers a moment early.

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
// durations are kept in nanoseconds, whose sum is exact, and exposed in seconds. The counts take
// memory from the first value on, so that what never happens, as most does in a network that waits
// for its first request, costs a pointer.
template <const auto& kUpperBounds, int64_t kPerUnit>
class Histogram {
 public:
  static constexpr size_t kBuckets = kUpperBounds.size() + 1;  // the last one has no bound

  Histogram() = default;
  ~Histogram() { delete counts_.load(std::memory_order_acquire); }
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void Observe(int64_t value) {
    value = std::max<int64_t>(value, 0);
    const auto bound = std::lower_bound(kUpperBounds.begin(), kUpperBounds.end(), value);
    Counts& counts = PresentCounts();
    counts.of_bucket[bound - kUpperBounds.begin()].fetch_add(1, std::memory_order_relaxed);
    counts.sum.fetch_add(value, std::memory_order_relaxed);
  }

  static double upper_bound(size_t bucket) { return ToUnit(kUpperBounds[bucket]); }
  uint64_t count(size_t bucket) const {
    const Counts* counts = counts_.load(std::memory_order_acquire);
    return counts == nullptr ? 0 : counts->of_bucket[bucket].load(std::memory_order_relaxed);
  }
  double sum() const {
    const Counts* counts = counts_.load(std::memory_order_acquire);
    return counts == nullptr ? 0 : ToUnit(counts->sum.load(std::memory_order_relaxed));
  }
  bool empty() const { return counts_.load(std::memory_order_acquire) == nullptr; }

 private:
  struct Counts {
    std::array<std::atomic<uint64_t>, kBuckets> of_bucket{};
    std::atomic<int64_t> sum{0};
  };

  static double ToUnit(int64_t value) {
    return static_cast<double>(value) / static_cast<double>(kPerUnit);
  }

  Counts& PresentCounts() {
    Counts* present = counts_.load(std::memory_order_acquire);
    if (present != nullptr) return *present;
    auto* made = new Counts;
    if (counts_.compare_exchange_strong(present, made, std::memory_order_acq_rel)) return *made;
    delete made;  // another thread was faster
    return *present;
  }

  std::atomic<Counts*> counts_{nullptr};
};

inline constexpr int64_t kMicrosecond = 1'000;
inline constexpr int64_t kMillisecond = 1'000'000;
inline constexpr int64_t kSecond = 1'000'000'000;

// gRFC A66's for latencies, which peers expose too: 0, 10 us to 100 s.
inline constexpr std::array<int64_t, 41> kDurationBounds = {0,
                                                            10 * kMicrosecond,
                                                            50 * kMicrosecond,
                                                            100 * kMicrosecond,
                                                            300 * kMicrosecond,
                                                            600 * kMicrosecond,
                                                            800 * kMicrosecond,
                                                            1 * kMillisecond,
                                                            2 * kMillisecond,
                                                            3 * kMillisecond,
                                                            4 * kMillisecond,
                                                            5 * kMillisecond,
                                                            6 * kMillisecond,
                                                            8 * kMillisecond,
                                                            10 * kMillisecond,
                                                            13 * kMillisecond,
                                                            16 * kMillisecond,
                                                            20 * kMillisecond,
                                                            25 * kMillisecond,
                                                            30 * kMillisecond,
                                                            40 * kMillisecond,
                                                            50 * kMillisecond,
                                                            65 * kMillisecond,
                                                            80 * kMillisecond,
                                                            100 * kMillisecond,
                                                            130 * kMillisecond,
                                                            160 * kMillisecond,
                                                            200 * kMillisecond,
                                                            250 * kMillisecond,
                                                            300 * kMillisecond,
                                                            400 * kMillisecond,
                                                            500 * kMillisecond,
                                                            650 * kMillisecond,
                                                            800 * kMillisecond,
                                                            1 * kSecond,
                                                            2 * kSecond,
                                                            5 * kSecond,
                                                            10 * kSecond,
                                                            20 * kSecond,
                                                            50 * kSecond,
                                                            100 * kSecond};

// Every second or third of those from 100 us on, for what takes longer and happens seldom: the
// buckets of all networks are most of the page.
inline constexpr std::array<int64_t, 18> kPreparationBounds = {
    100 * kMicrosecond, 300 * kMicrosecond, 1 * kMillisecond,   2 * kMillisecond,
    5 * kMillisecond,   10 * kMillisecond,  20 * kMillisecond,  50 * kMillisecond,
    100 * kMillisecond, 200 * kMillisecond, 500 * kMillisecond, 1 * kSecond,
    2 * kSecond,        5 * kSecond,        10 * kSecond,       20 * kSecond,
    50 * kSecond,       100 * kSecond};

inline constexpr std::array<int64_t, 11> kBatchSizeBounds = {1,  2,   4,   8,   16,  32,
                                                             64, 128, 256, 512, 1024};

// gRFC A66's for sizes of messages: 0, 1 KiB to 4 GiB.
inline constexpr std::array<int64_t, 14> kMessageBytesBounds = {0,
                                                                int64_t{1} << 10,
                                                                int64_t{1} << 11,
                                                                int64_t{1} << 12,
                                                                int64_t{1} << 14,
                                                                int64_t{1} << 16,
                                                                int64_t{1} << 18,
                                                                int64_t{1} << 20,
                                                                int64_t{1} << 22,
                                                                int64_t{1} << 24,
                                                                int64_t{1} << 26,
                                                                int64_t{1} << 28,
                                                                int64_t{1} << 30,
                                                                int64_t{1} << 32};

// Seconds to a week.
inline constexpr std::array<int64_t, 8> kAgeBounds = {
    1 * kSecond,     10 * kSecond,     60 * kSecond,     600 * kSecond,
    3'600 * kSecond, 21'600 * kSecond, 86'400 * kSecond, 604'800 * kSecond};

using AgeHistogram = Histogram<kAgeBounds, kSecond>;
using DurationHistogram = Histogram<kDurationBounds, kSecond>;
using PreparationHistogram = Histogram<kPreparationBounds, kSecond>;
using BatchSizeHistogram = Histogram<kBatchSizeBounds, 1>;
using MessageBytesHistogram = Histogram<kMessageBytesBounds, 1>;

}  // namespace lazynet::metrics
