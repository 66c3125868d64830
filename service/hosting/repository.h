#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/hosting/hosted_network.h"

namespace lazynet::hosting {

// A version of a model: a hosted network, or why there is none.
struct ModelVersion {
  std::shared_ptr<HostedNetwork> network;
  absl::Status unavailable;  // not OK when `network` is null
};

// What the server hosts, by model name and version. Immutable once loaded.
class Repository {
 public:
  using Versions = std::map<int64_t, ModelVersion>;

  // Loads every model of a folder:
  //   <folder>/<model>/<version>/network.textproto or network.json, weights.safetensors
  //   <folder>/<model>/network.textproto ...: a model that is its own version 1
  // A model that cannot be loaded is listed with its reason. NOT_FOUND when there is no folder.
  static absl::StatusOr<Repository> Load(const std::filesystem::path& folder,
                                         const Backends& backends, const HostingOptions& options,
                                         metrics::Registry& registry);

  const std::map<std::string, Versions, std::less<>>& models() const { return models_; }

  // The version asked for, or for "" the highest that is available. NOT_FOUND for an unknown model
  // or version, INVALID_ARGUMENT for a version that is no number, UNAVAILABLE with the reason for
  // one that could not be loaded.
  absl::StatusOr<std::shared_ptr<HostedNetwork>> Find(std::string_view model,
                                                      std::string_view version) const;

 private:
  std::map<std::string, Versions, std::less<>> models_;
};

}  // namespace lazynet::hosting
