#pragma once

#include <prometheus/metric_family.h>

#include <memory>
#include <vector>

#include "service/metrics/series.h"

namespace lazynet::metrics {

// The present values of all series under their names, help texts and labels. A family without a
// network has no samples but is listed.
std::vector<prometheus::MetricFamily> CollectFamilies(
    const ServerSeries& server, const MethodTable& methods,
    const std::vector<std::shared_ptr<const NetworkSeries>>& networks);

}  // namespace lazynet::metrics
