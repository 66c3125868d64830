#include "service/metrics/store.h"

#include <iterator>

#include "engine/core/check.h"
#include "service/metrics/families.h"

namespace lazynet::metrics {

Store::Store(std::vector<std::pair<std::string, std::string>> build_labels) {
  server_.build_labels = std::move(build_labels);
}

std::shared_ptr<NetworkSeries> Store::Acquire(std::string_view model, std::string_view version) {
  const std::lock_guard lock(mutex_);
  Shown& shown = networks_[{std::string(model), std::string(version)}];
  if (shown.series == nullptr) {
    shown.series = std::make_shared<NetworkSeries>();
    shown.series->model = model;
    shown.series->version = version;
  }
  ++shown.users;
  return shown.series;
}

void Store::Release(const NetworkSeries& network) {
  const std::lock_guard lock(mutex_);
  const auto found = networks_.find({network.model, network.version});
  LAZYNET_CHECK(found != networks_.end());
  if (--found->second.users == 0) networks_.erase(found);
}

void Store::ShowMethods(MethodTable methods) {
  const std::lock_guard lock(mutex_);
  LAZYNET_CHECK(methods_.empty());
  methods_ = std::move(methods);
}

std::vector<prometheus::MetricFamily> Store::Collect() const {
  std::vector<std::shared_ptr<const NetworkSeries>> networks;
  MethodTable methods;
  {
    // Only long enough to copy pointers: a scrape of thousands of networks stops no load or unload.
    const std::lock_guard lock(mutex_);
    methods = methods_;
    networks.reserve(networks_.size());
    for (const auto& [key, shown] : networks_) networks.push_back(shown.series);
  }
  std::vector<prometheus::MetricFamily> families = CollectFamilies(server_, methods, networks);
  std::vector<prometheus::MetricFamily> process = process_.Collect();
  families.insert(families.end(), std::make_move_iterator(process.begin()),
                  std::make_move_iterator(process.end()));
  return families;
}

}  // namespace lazynet::metrics
