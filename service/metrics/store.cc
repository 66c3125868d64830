#include "service/metrics/store.h"

#include "engine/core/check.h"
#include "service/metrics/sample_writer.h"

namespace lazynet::metrics {

Store::Store(std::vector<std::pair<std::string, std::string>> build_labels) {
  server_.build_labels = std::move(build_labels);
}

std::shared_ptr<NetworkSeries> Store::Acquire(std::string_view model, std::string_view version) {
  const std::lock_guard lock(mutex_);
  Network& network = networks_[{std::string(model), std::string(version)}];
  if (network.series == nullptr) {
    network.series = std::make_shared<NetworkSeries>();
    network.series->model = model;
    network.series->version = version;
    network.series->labels = LabelOf("model", model) + ',' + LabelOf("version", version);
  }
  ++network.users;
  return network.series;
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

Store::Shown Store::Look() const {
  // Only long enough to copy pointers: a scrape of thousands of networks stops no load or unload.
  const std::lock_guard lock(mutex_);
  Shown shown{.networks = {}, .methods = methods_};
  shown.networks.reserve(networks_.size());
  for (const auto& [key, network] : networks_) shown.networks.push_back(network.series);
  return shown;
}

}  // namespace lazynet::metrics
