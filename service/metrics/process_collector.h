#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace lazynet::metrics {

// The process_* metrics that Prometheus' client libraries share, from /proc. What cannot be read is
// left out. Thread-safe.
class ProcessCollector final : public prometheus::Collectable {
 public:
  ProcessCollector();
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  double boot_time_ = 0;  // seconds since the epoch; 0: unknown
};

}  // namespace lazynet::metrics
