#pragma once

#include <prometheus/metric_family.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/metrics/sample_writer.h"
#include "service/metrics/series.h"

namespace lazynet::metrics {

// One family of the networks' series, which are many, and how those of one network are written.
struct NetworkFamily {
  std::string_view name;
  std::string_view help;
  std::string_view type;
  void (*write)(const NetworkSeries&, SampleWriter&);
  void (*write_of_server)(const ServerSeries&, SampleWriter&) = nullptr;  // before all networks
};

// In the order in which they are shown. A family without a network has no samples but is listed.
std::span<const NetworkFamily> NetworkFamilies();

// The server's own, which are few.
std::vector<prometheus::MetricFamily> ServerFamilies(const ServerSeries& server);

// gRPC's, whole, in text.
void WriteMethodFamilies(const MethodTable& methods, std::string& out);

// What stands before the samples of a family.
void WriteHead(std::string_view name, std::string_view help, std::string_view type,
               std::string& out);

}  // namespace lazynet::metrics
