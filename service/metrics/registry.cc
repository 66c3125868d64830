#include "service/metrics/registry.h"

#include <prometheus/text_serializer.h>

#include "service/metrics/store.h"

namespace lazynet::metrics {

Registry::Registry(std::vector<std::pair<std::string, std::string>> build_labels)
    : store_(std::make_shared<Store>(std::move(build_labels))) {}

Registry::~Registry() = default;

std::string Registry::Text() const {
  return prometheus::TextSerializer().Serialize(store_->Collect());
}

}  // namespace lazynet::metrics
