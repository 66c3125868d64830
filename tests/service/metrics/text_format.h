#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lazynet::metrics {

// What stands behind exactly `series`, such as `lazynet_lanes` or `x_total{model="m"}`, in a page
// of Prometheus' text format.
std::optional<double> ValueOf(std::string_view text, std::string_view series);

// One line per family, sorted: name, type and label names, without histograms' own `le`. For label
// values without commas and quotes.
std::vector<std::string> FamiliesOf(const std::string& text);

}  // namespace lazynet::metrics
