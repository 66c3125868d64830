#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lazynet::metrics {

class Store;

// The metrics of one server: the probes record into it, an Exposer serves it. Names, types, labels
// and meaning are in this folder's README. Probes and exposers share its content, so they may
// outlive it. Thread-safe.
class Registry {
 public:
  // `build_labels` become the labels of lazynet_build_info, such as {"version", "0.1.0"}. The names
  // must be valid for Prometheus: letters, digits and underscores.
  explicit Registry(std::vector<std::pair<std::string, std::string>> build_labels = {});
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // All metrics in Prometheus' text format, the process_* set included.
  std::string Text() const;

  // For the classes of this folder.
  const std::shared_ptr<Store>& store() const { return store_; }

 private:
  std::shared_ptr<Store> store_;
};

}  // namespace lazynet::metrics
