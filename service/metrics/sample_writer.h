#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "service/metrics/instruments.h"

namespace lazynet::metrics {

// Appends the samples of one family in Prometheus' text format, each a line. Labels are what stands
// between the braces, a="b",c="d", and escaped: `labels`, at least one, and `more`, each of which
// has a comma before it.
//
// prometheus-cpp's serializer, and the values and label texts that it wants to be handed, take
// seconds and hundreds of megabytes for the lines of thousands of networks.
class SampleWriter {
 public:
  SampleWriter(std::string_view family, std::string& out) : family_(family), out_(out) {}

  void Write(std::string_view labels, std::string_view more, int64_t value) {
    Begin("", labels, more);
    End(value);
  }
  void Write(std::string_view labels, std::string_view more, const Counter& counter) {
    Begin("", labels, more);
    End(counter.value());
  }
  void Write(std::string_view labels, std::string_view more, const Gauge& gauge) {
    Write(labels, more, gauge.value());
  }

  template <const auto& kBounds, int64_t kPerUnit>
  void Write(std::string_view labels, std::string_view more,
             const Histogram<kBounds, kPerUnit>& histogram) {
    const auto& bounds = LabelsOfBounds<Histogram<kBounds, kPerUnit>>();
    bucket_.clear();
    bucket_.append(family_).append("_bucket{").append(labels).append(more);
    uint64_t count = 0;
    for (size_t i = 0; i < bounds.size(); ++i) {
      count += histogram.count(i);
      out_.append(bucket_).append(bounds[i]);
      End(count);
    }
    Begin("_sum", labels, more);
    End(histogram.sum());
    Begin("_count", labels, more);  // always the last bucket's, whatever is recorded meanwhile
    End(count);
  }

 private:
  // By bucket: ,le="0.0006"} with the shortest digits, as everybody writes them: labels are
  // compared as text, so sums over servers would have a bucket of each spelling.
  template <typename Histogram>
  static const std::array<std::string, Histogram::kBuckets>& LabelsOfBounds() {
    static const auto labels = [] {
      std::array<std::string, Histogram::kBuckets> result;
      for (size_t i = 0; i + 1 < result.size(); ++i) {
        result[i] = fmt::format(",le=\"{}\"}} ", Histogram::upper_bound(i));
      }
      result.back() = ",le=\"+Inf\"} ";
      return result;
    }();
    return labels;
  }

  void Begin(std::string_view suffix, std::string_view labels, std::string_view more) {
    out_.append(family_).append(suffix).append("{").append(labels).append(more).append("} ");
  }
  template <typename Number>
  void End(Number value) {
    if (value == 0) {
      out_.append("0\n");  // as most are
    } else {
      fmt::format_to(std::back_inserter(out_), "{}\n", value);
    }
  }

  const std::string_view family_;
  std::string& out_;
  std::string bucket_;  // the part that a histogram's buckets share
};

// key="value", for a value that may be any text.
std::string LabelOf(std::string_view key, std::string_view value);

}  // namespace lazynet::metrics
