#include "service/metrics/page.h"

#include <prometheus/text_serializer.h>

#include <utility>

#include "service/metrics/families.h"
#include "service/metrics/sample_writer.h"
#include "service/metrics/store.h"

namespace lazynet::metrics {
namespace {

// Between two looks at how long a piece is.
constexpr size_t kNetworksAtATime = 16;

}  // namespace

Page::Page(std::shared_ptr<const Store> store) : store_(std::move(store)) {
  Store::Shown shown = store_->Look();
  networks_ = std::move(shown.networks);
  methods_ = std::move(shown.methods);
}

bool Page::Next(std::string& out, size_t at_least) {
  const size_t enough = out.size() + at_least;
  while (out.size() < enough) {
    if (!Step(out)) return false;
  }
  return true;
}

bool Page::Step(std::string& out) {
  const auto families = NetworkFamilies();
  if (!begun_) {
    out += prometheus::TextSerializer().Serialize(ServerFamilies(store_->server()));
    begun_ = true;
    return true;
  }
  if (family_ == families.size()) {
    WriteMethodFamilies(methods_, out);
    out += prometheus::TextSerializer().Serialize(store_->process().Collect());
    return false;
  }
  const NetworkFamily& family = families[family_];
  SampleWriter writer(family.name, out);
  if (network_ == 0) {
    WriteHead(family.name, family.help, family.type, out);
    if (family.write_of_server != nullptr) family.write_of_server(store_->server(), writer);
  }
  for (size_t i = 0; i < kNetworksAtATime && network_ < networks_.size(); ++i, ++network_) {
    family.write(*networks_[network_], writer);
  }
  if (network_ == networks_.size()) {
    ++family_;
    network_ = 0;
  }
  return true;
}

}  // namespace lazynet::metrics
