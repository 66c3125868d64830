#include "service/metrics/registry.h"

#include <prometheus/text_serializer.h>

#include <string_view>

#include "service/metrics/store.h"

namespace lazynet::metrics {

namespace {

// The serializer writes 16 digits, which for one of gRFC A66's bounds are not those that everybody
// else writes. Labels are compared as text, so sums over servers would have a bucket of each.
constexpr std::string_view kWritten = "le=\"0.0005999999999999999\"";
constexpr std::string_view kMeant = "le=\"0.0006\"";

std::string WithMendedBounds(const std::string& text) {
  std::string mended;
  mended.reserve(text.size());
  size_t begin = 0;
  for (size_t at; (at = text.find(kWritten, begin)) != std::string::npos;
       begin = at + kWritten.size()) {
    mended.append(text, begin, at - begin).append(kMeant);
  }
  return mended.append(text, begin, std::string::npos);
}

}  // namespace

Registry::Registry(std::vector<std::pair<std::string, std::string>> build_labels)
    : store_(std::make_shared<Store>(std::move(build_labels))) {}

Registry::~Registry() = default;

std::string Registry::Text() const {
  return WithMendedBounds(prometheus::TextSerializer().Serialize(store_->Collect()));
}

}  // namespace lazynet::metrics
