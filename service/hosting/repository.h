#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "service/hosting/hosted_network.h"
#include "service/hosting/state_directory.h"

namespace lazynet::v1 {
class NetworkDefinition;
class ServingConfig;
}  // namespace lazynet::v1

namespace lazynet::hosting {

class RepositoryFolder;
struct ModelFolder;

// A version of a model: a hosted network, or why there is none.
struct ModelVersion {
  std::shared_ptr<HostedNetwork> network;
  absl::Status unavailable;                      // not OK when `network` is null
  bool unloaded = false;                         // not there because somebody wished so
  std::string source;                            // SourceStamp of its files; empty: of none
  bool registered = false;                       // by a client, not of the folder
  std::shared_ptr<metrics::NetworkProbe> probe;  // tells that it could not be loaded
};

// What became of a version when the folder was read again.
struct RepositoryChange {
  enum class Kind { kLoaded, kReloaded, kUnloaded, kFailed };

  std::string name;
  int64_t version = 0;
  Kind kind = Kind::kLoaded;
  absl::Status status;  // not OK for kFailed
};

// What the server hosts, by model name and version: the models of a folder, and those that clients
// register. Safe for use by many threads.
class Repository {
 public:
  using Versions = std::map<int64_t, ModelVersion>;
  using Models = std::map<std::string, Versions, std::less<>>;

  // Loads every model of a folder, and what the state directory knows of registered ones:
  //   <folder>/<model>/<version>/network.textproto or network.json,
  //                              weights.safetensors or weights.safetensors.index.json
  //   <folder>/<model>/network.textproto ...: a model that is its own version 1
  //   <folder>/<model>/serving.textproto: for all versions, and which of them are loaded
  // A model that cannot be loaded, be it that a link of it leads out of the folder, is listed with
  // its reason. NOT_FOUND when there is no folder.
  static absl::StatusOr<std::unique_ptr<Repository>> Load(const std::filesystem::path& folder,
                                                          const Environment& environment);

  // Copies, as of now; no versions for an unknown model.
  Models models() const;
  Versions versions(std::string_view model) const;

  // The version asked for, or for "" the highest that is available. NOT_FOUND for an unknown model
  // or version and for one that was unloaded, INVALID_ARGUMENT for a version that is no number,
  // UNAVAILABLE with the reason for one that could not be loaded.
  absl::StatusOr<std::shared_ptr<HostedNetwork>> Find(std::string_view model,
                                                      std::string_view version) const;

  // Reads a model of the folder again. A version that loads takes the place of the one before,
  // whose requests end on what they started with; one that does not load leaves it as it is; one
  // whose folder is gone, or that the version policy leaves out, is unloaded. Takes as long as
  // loading does. INVALID_ARGUMENT for a name that is none, NOT_FOUND when the folder has no such
  // model, FAILED_PRECONDITION with what did not load.
  absl::Status LoadAgain(const std::string& name);

  // Reads again what changed in the folder: loads new models and versions, and those that could not
  // be loaded; loads changed ones in the place of the old; unloads those whose folder is gone. What
  // does not load leaves the old one serving; what has not changed is not touched. Networks that
  // clients registered, and that could not be loaded from the state directory, are tried again,
  // too. Stops between two models when it is told to. Takes as long as loading does.
  std::vector<RepositoryChange> LoadChanges(const std::stop_token& stop);

  // Ends the versions of a model of the folder, until it is loaded again. Nothing happens to a
  // model that is not hosted. FAILED_PRECONDITION for one that a client registered.
  absl::Status Unload(const std::string& name);

  // Hosts another version, or one that was registered and could not be loaded at start.
  // ALREADY_EXISTS when it is hosted, INVALID_ARGUMENT for a name or
  // definition that is none, RESOURCE_EXHAUSTED when too many are registered.
  absl::StatusOr<std::shared_ptr<HostedNetwork>> Register(const std::string& name, int64_t version,
                                                          const v1::NetworkDefinition& definition,
                                                          const v1::ServingConfig& serving);

  // Ends that, and forgets it, be it that it could not be loaded. FAILED_PRECONDITION for a version
  // of the folder; else as Find.
  absl::Status Unregister(std::string_view name, std::string_view version);

 private:
  // The version asked for, or for "" the highest that is available, or that there is. With mutex_
  // held.
  absl::StatusOr<Versions::const_iterator> Choose(std::string_view model,
                                                  std::string_view version) const;

  Repository(std::filesystem::path folder, const Environment& environment)
      : folder_(std::move(folder)), environment_(environment) {}

  void LoadModel(const RepositoryFolder& folder, const std::string& name);
  absl::StatusOr<std::shared_ptr<HostedNetwork>> MakeRegistered(
      const StateDirectory::Registered& registered) const;
  absl::Status LoadRegistered();
  std::vector<RepositoryChange> RetryRegistered(const std::stop_token& stop);

  absl::Status CheckNotRegistered(const std::string& name) const;
  // With registering_ held, as the next.
  std::vector<RepositoryChange> Refresh(const RepositoryFolder& folder, const ModelFolder& model,
                                        bool only_changes);
  std::vector<RepositoryChange> LoadChangesOf(const RepositoryFolder& folder,
                                              const std::string& name);
  void Replace(const std::string& name, int64_t version, ModelVersion loaded);
  void Forget(const std::string& name, int64_t version, NetworkState last_state);

  const std::filesystem::path folder_;
  const Environment& environment_;
  std::mutex registering_;           // one registration, or loading, at a time
  mutable std::shared_mutex mutex_;  // guards models_
  Models models_;
};

}  // namespace lazynet::hosting
