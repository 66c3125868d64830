#include "service/metrics/registry.h"

#include "service/metrics/page.h"
#include "service/metrics/store.h"

namespace lazynet::metrics {

Registry::Registry(std::vector<std::pair<std::string, std::string>> build_labels)
    : store_(std::make_shared<Store>(std::move(build_labels))) {}

Registry::~Registry() = default;

std::string Registry::Text() const {
  std::string text;
  Page page(store_);
  while (page.Next(text)) {
  }
  return text;
}

}  // namespace lazynet::metrics
