#include "service/cli/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace lazynet::cli {
namespace {

// A power of two of nanoseconds is cut into so many buckets. Below, each number has one.
constexpr int kStepBits = 6;
constexpr uint64_t kSteps = uint64_t{1} << kStepBits;
constexpr int kMostBits = 40;
constexpr size_t kBuckets = (kMostBits - kStepBits + 1) * kSteps;

size_t BucketOf(uint64_t nanoseconds) {
  if (nanoseconds < kSteps) return nanoseconds;
  const int shift = static_cast<int>(std::bit_width(nanoseconds)) - 1 - kStepBits;
  const auto bucket = (static_cast<uint64_t>(shift) << kStepBits) + (nanoseconds >> shift);
  return std::min<size_t>(bucket, kBuckets - 1);
}

// The largest number of a bucket.
uint64_t EndOf(size_t bucket) {
  if (bucket < kSteps) return bucket;
  const auto shift = (bucket >> kStepBits) - 1;
  const auto step = (bucket & (kSteps - 1)) + kSteps;
  return ((step + 1) << shift) - 1;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(kBuckets) {}

void LatencyHistogram::Record(std::chrono::nanoseconds latency) {
  latency = std::max(latency, std::chrono::nanoseconds(0));
  ++buckets_[BucketOf(static_cast<uint64_t>(latency.count()))];
  ++count_;
  sum_ += latency;
  max_ = std::max(max_, latency);
}

void LatencyHistogram::Add(const LatencyHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds LatencyHistogram::mean() const {
  return count_ == 0 ? sum_ : sum_ / static_cast<int64_t>(count_);
}

std::chrono::nanoseconds LatencyHistogram::Percentile(double share) const {
  if (count_ == 0) return std::chrono::nanoseconds(0);
  const double wanted = std::ceil(share * static_cast<double>(count_));
  const auto rank = std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, count_);
  uint64_t seen = 0;
  size_t bucket = 0;
  while (seen + buckets_[bucket] < rank) seen += buckets_[bucket++];
  return std::min(max_, std::chrono::nanoseconds(static_cast<int64_t>(EndOf(bucket))));
}

}  // namespace lazynet::cli
