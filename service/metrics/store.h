#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/metrics/process_collector.h"
#include "service/metrics/series.h"

namespace lazynet::metrics {

// All series of the process, and what a scrape asks. Thread-safe.
//
// It stands where prometheus::Registry and its families would. Those hold each series under a map
// of label texts (some 450 bytes a series) and walk through all series of a family, under the lock
// that scrapes need, to remove one: too much for thousands of networks that come and go.
class Store {
 public:
  explicit Store(std::vector<std::pair<std::string, std::string>> build_labels);

  // The series of that network: new ones, or those that are shown already. They are shown until
  // each Acquire had its Release.
  std::shared_ptr<NetworkSeries> Acquire(std::string_view model, std::string_view version);
  void Release(const NetworkSeries& network);

  ServerSeries& server() { return server_; }
  const ServerSeries& server() const { return server_; }
  const ProcessCollector& process() const { return process_; }

  // The gRPC methods to show, by name; once, before anybody asks for them.
  void ShowMethods(MethodTable methods);
  const MethodTable& methods() const { return methods_; }

  // Networks in the order of their model and version.
  struct Shown {
    std::vector<std::shared_ptr<const NetworkSeries>> networks;
    MethodTable methods;
  };
  Shown Look() const;

 private:
  struct Network {
    std::shared_ptr<NetworkSeries> series;
    size_t users = 0;
  };

  ServerSeries server_;
  ProcessCollector process_;
  mutable std::mutex mutex_;
  MethodTable methods_;  // written once, with mutex_ held
  std::map<std::pair<std::string, std::string>, Network> networks_;  // guarded by mutex_
};

}  // namespace lazynet::metrics
