#include "service/hosting/repository.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/hosting/definition.h"
#include "service/hosting/model_reader.h"
#include "service/hosting/repository_folder.h"
#include "service/hosting/versions.h"

namespace lazynet::hosting {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxVersions = 65536;  // of all models

ModelVersion Unloaded(std::string source = "") {
  return {nullptr, absl::NotFoundError("unloaded"), true, std::move(source)};
}

absl::Status CheckModelName(std::string_view name) {
  if (IsPlainName(name)) return absl::OkStatus();
  return InvalidArgument("a model's name wants letters, digits, '_', '-' and '.', got \"{}\"",
                         name);
}

absl::Status Unavailable(std::string_view what, const ModelVersion& version) {
  const auto code = version.unloaded ? absl::StatusCode::kNotFound : absl::StatusCode::kUnavailable;
  return absl::Status(code,
                      fmt::format("{} is unavailable: {}", what, Message(version.unavailable)));
}

// As a request asked for it.
std::string NameOf(std::string_view model, std::string_view version) {
  return version.empty() ? fmt::format("model \"{}\"", model)
                         : fmt::format("model \"{}\" version {}", model, version);
}

std::string ToText(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

// What may be a model, of the repository's folders. A name that can be none is listed with escapes:
// no client could read a list with text that is not UTF-8.
absl::StatusOr<std::vector<std::string>> ModelNames(const RepositoryFolder& folder) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, folder.Folders(""));
  std::erase_if(names, [](const std::string& name) { return name.front() == '.'; });
  for (std::string& name : names) {
    if (!IsPlainName(name)) name = absl::CHexEscape(name);
  }
  return names;
}

// Of a network that a client registered.
ModelVersion RegisteredEntry(absl::StatusOr<std::shared_ptr<HostedNetwork>> network) {
  ModelVersion entry{.unavailable = network.status(), .registered = true};
  if (network.ok()) entry.network = *std::move(network);
  return entry;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Repository>> Repository::Load(const fs::path& folder,
                                                             const Environment& environment) {
  ASSIGN_OR_RETURN(const auto opened, RepositoryFolder::Open(folder));
  std::unique_ptr<Repository> repository(new Repository(folder, environment));
  const auto names = ModelNames(*opened);
  if (!names.ok())
    return Annotate(fmt::format("model repository {}", folder.string()), names.status());
  for (const std::string& name : *names) repository->LoadModel(*opened, name);
  RETURN_IF_ERROR(repository->LoadRegistered());
  return repository;
}

void Repository::LoadModel(const RepositoryFolder& folder, const std::string& name) {
  if (absl::Status status = CheckModelName(name); !status.ok()) {
    Replace(name, 1, {.unavailable = std::move(status)});
    return;
  }
  const auto model = LookAt(folder, name);
  if (!model.ok()) {
    Replace(name, 1, {.unavailable = model.status()});
    return;
  }
  for (const auto& [version, path] : model->versions) {
    std::string source = StampOf(folder_, name, path);
    auto network = LoadVersion(folder, *model, version, path, environment_);
    if (network.ok()) {
      Replace(name, version, {.network = *std::move(network), .source = std::move(source)});
    } else {
      Replace(name, version, {.unavailable = network.status(), .source = std::move(source)});
    }
  }
}

void Repository::Replace(const std::string& name, int64_t version, ModelVersion loaded) {
  const std::shared_ptr<HostedNetwork> network = loaded.network;
  std::string reason(Message(loaded.unavailable));
  // Names that are none stay out of the metrics.
  if (network == nullptr && !loaded.unloaded && IsPlainName(name)) {
    loaded.probe = std::make_shared<metrics::NetworkProbe>(environment_.registry, name,
                                                           std::to_string(version));
    loaded.probe->SetState(metrics::NetworkState::kUnavailable);
  }
  {
    const std::lock_guard lock(mutex_);
    // What was there ends with `loaded`, when nobody has to wait for it.
    std::swap(models_[name][version], loaded);
  }
  if (loaded.network != nullptr) loaded.network->Retire();
  if (network != nullptr) {
    network->Announce();
    return;
  }
  environment_.events.Publish({.name = name,
                               .version = version,
                               .state = NetworkState::kUnavailable,
                               .reason = std::move(reason)});
}

absl::Status Repository::CheckNotRegistered(const std::string& name) const {
  for (const auto& [version, entry] : versions(name)) {
    if (!entry.registered) continue;
    return FailedPrecondition(
        "model \"{}\" version {} was registered by a client: it does not belong to the model "
        "repository",
        name, version);
  }
  return absl::OkStatus();
}

absl::Status Repository::LoadAgain(const std::string& name) {
  RETURN_IF_ERROR(CheckModelName(name));
  const std::lock_guard registering(registering_);
  RETURN_IF_ERROR(CheckNotRegistered(name));
  const auto folder = RepositoryFolder::Open(folder_);
  // Clients learn no paths.
  if (!folder.ok()) return FailedPrecondition("the model repository's folder cannot be opened");
  const auto model = LookAt(**folder, name);
  if (absl::IsNotFound(model.status())) {
    return NotFound("the model repository has no model \"{}\"", name);
  }
  if (!model.ok()) {
    return FailedPrecondition("model \"{}\": {}", name, Message(model.status()));
  }
  std::vector<std::string> failures;
  for (const RepositoryChange& change : Refresh(**folder, *model, false)) {
    if (change.status.ok()) continue;
    failures.push_back(fmt::format("version {}: {}", change.version, Message(change.status)));
  }
  if (failures.empty()) return absl::OkStatus();
  return FailedPrecondition("model \"{}\" {}", name, fmt::join(failures, "; "));
}

std::vector<RepositoryChange> Repository::Refresh(const RepositoryFolder& folder,
                                                  const ModelFolder& model, bool only_changes) {
  using Kind = RepositoryChange::Kind;
  const std::string& name = model.name;
  std::vector<RepositoryChange> changes;
  const Versions before = versions(name);
  for (const auto& [version, path] : model.versions) {
    std::string source = StampOf(folder_, name, path);
    const auto old = before.find(version);
    const bool serves = old != before.end() && old->second.network != nullptr;
    const bool settled = serves || (old != before.end() && old->second.unloaded);
    if (only_changes && settled && old->second.source == source) continue;
    auto network = LoadVersion(folder, model, version, path, environment_);
    if (network.ok()) {
      Replace(name, version, {.network = *std::move(network), .source = std::move(source)});
      changes.push_back({name, version, serves ? Kind::kReloaded : Kind::kLoaded, {}});
      continue;
    }
    changes.push_back({name, version, Kind::kFailed, network.status()});
    if (serves) continue;
    Replace(name, version, {.unavailable = network.status(), .source = std::move(source)});
  }
  for (const auto& [version, entry] : before) {
    const bool of_folder = entry.network != nullptr || !entry.source.empty();
    if (model.versions.contains(version) || entry.unloaded || !of_folder) continue;
    Replace(name, version, Unloaded());
    changes.push_back({name, version, Kind::kUnloaded, {}});
  }
  return changes;
}

std::vector<RepositoryChange> Repository::LoadChangesOf(const RepositoryFolder& folder,
                                                        const std::string& name) {
  const auto fail = [&](absl::Status status) {
    return std::vector<RepositoryChange>{
        {name, 1, RepositoryChange::Kind::kFailed, std::move(status)}};
  };
  if (absl::Status status = CheckModelName(name); !status.ok()) return fail(std::move(status));
  const std::lock_guard registering(registering_);
  const auto model = LookAt(folder, name);
  const bool is_there = !absl::IsNotFound(model.status());
  if (absl::Status status = CheckNotRegistered(name); !status.ok()) {
    return is_there ? fail(std::move(status)) : std::vector<RepositoryChange>();
  }
  if (!is_there) return Refresh(folder, {.name = name, .serving = v1::ServingConfig()}, true);
  return model.ok() ? Refresh(folder, *model, true) : fail(model.status());
}

std::vector<RepositoryChange> Repository::LoadChanges(const std::stop_token& stop) {
  const auto folder = RepositoryFolder::Open(folder_);
  const auto found = folder.ok() ? ModelNames(**folder) : folder.status();
  if (!found.ok()) {
    // Nothing is unloaded for a folder that cannot be read.
    absl::Status status =
        Annotate(fmt::format("model repository {}", folder_.string()), found.status());
    return {{"", 0, RepositoryChange::Kind::kFailed, std::move(status)}};
  }
  std::set<std::string> names(found->begin(), found->end());
  for (const auto& [name, versions] : models()) names.insert(name);
  std::vector<RepositoryChange> changes;
  for (const std::string& name : names) {
    if (stop.stop_requested()) break;
    for (RepositoryChange& change : LoadChangesOf(**folder, name)) {
      changes.push_back(std::move(change));
    }
  }
  for (RepositoryChange& change : RetryRegistered(stop)) changes.push_back(std::move(change));
  return changes;
}

absl::Status Repository::Unload(const std::string& name) {
  RETURN_IF_ERROR(CheckModelName(name));
  const std::lock_guard registering(registering_);
  RETURN_IF_ERROR(CheckNotRegistered(name));
  for (const auto& [version, entry] : versions(name)) {
    if (entry.network != nullptr) Replace(name, version, Unloaded(entry.source));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> Repository::MakeRegistered(
    const StateDirectory::Registered& registered) const {
  RETURN_IF_ERROR(registered.status);
  ASSIGN_OR_RETURN(const auto definition, ReadDefinitionText(registered.definition));
  ASSIGN_OR_RETURN(const auto serving, ParseServingText(registered.serving));
  ASSIGN_OR_RETURN(HostedDefinition hosted,
                   MakeHosted(definition, serving, registered.name, registered.version,
                              environment_.options.queue, NoLabels));
  return HostedNetwork::Create(std::move(hosted), environment_);
}

absl::Status Repository::LoadRegistered() {
  if (environment_.state == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto networks, environment_.state->RegisteredNetworks());
  for (const StateDirectory::Registered& registered : networks) {
    // The model repository's own version goes first.
    if (versions(registered.name).contains(registered.version)) continue;
    Replace(registered.name, registered.version, RegisteredEntry(MakeRegistered(registered)));
  }
  return absl::OkStatus();
}

std::vector<RepositoryChange> Repository::RetryRegistered(const std::stop_token& stop) {
  using Kind = RepositoryChange::Kind;
  std::set<std::pair<std::string, int64_t>> failed;
  for (const auto& [name, versions] : models()) {
    for (const auto& [version, entry] : versions) {
      if (entry.registered && entry.network == nullptr) failed.emplace(name, version);
    }
  }
  if (failed.empty()) return {};
  const auto networks = environment_.state->RegisteredNetworks();
  if (!networks.ok()) return {{"", 0, Kind::kFailed, networks.status()}};
  std::vector<RepositoryChange> changes;
  for (const StateDirectory::Registered& registered : *networks) {
    if (stop.stop_requested()) return changes;
    const auto& [name, version] = std::tie(registered.name, registered.version);
    const auto of_model = failed.lower_bound({name, 0});
    if (of_model == failed.end() || of_model->first != name) continue;
    const std::lock_guard registering(registering_);
    // One that is not there yet is of a folder that could not be listed.
    const Versions loaded = versions(name);
    const auto entry = loaded.find(version);
    if (entry != loaded.end() && (!entry->second.registered || entry->second.network != nullptr)) {
      continue;
    }
    auto network = MakeRegistered(registered);
    changes.push_back(
        {name, version, network.ok() ? Kind::kLoaded : Kind::kFailed, network.status()});
    Replace(name, version, RegisteredEntry(std::move(network)));
  }
  for (const StateDirectory::Registered& registered : *networks) {
    failed.erase({registered.name, registered.version});
  }
  for (const auto& [name, version] : failed) {
    const std::lock_guard registering(registering_);
    const Versions loaded = versions(name);
    const auto entry = loaded.find(version);
    if (entry == loaded.end() || !entry->second.registered) continue;
    if (entry->second.network != nullptr) continue;
    Forget(name, version, NetworkState::kUnavailable);
    changes.push_back({name, version, Kind::kUnloaded, {}});
  }
  return changes;
}

Repository::Models Repository::models() const {
  const std::shared_lock lock(mutex_);
  return models_;
}

Repository::Versions Repository::versions(std::string_view model) const {
  const std::shared_lock lock(mutex_);
  const auto found = models_.find(model);
  return found == models_.end() ? Versions() : found->second;
}

absl::StatusOr<Repository::Versions::const_iterator> Repository::Choose(
    std::string_view model, std::string_view version) const {
  const auto found = models_.find(model);
  if (found == models_.end()) return NotFound("model \"{}\" is not hosted", model);
  const Versions& versions = found->second;
  if (version.empty()) {
    const auto available = std::find_if(versions.rbegin(), versions.rend(), [](const auto& entry) {
      return entry.second.network != nullptr;
    });
    return std::prev(available == versions.rend() ? versions.end() : available.base());
  }
  const std::optional<int64_t> number = ParseVersion(version);
  if (!number) {
    return InvalidArgument("model \"{}\": wants a version number, got \"{}\"", model, version);
  }
  const auto entry = versions.find(*number);
  if (entry == versions.end()) {
    return NotFound("model \"{}\" has no version {}", model, *number);
  }
  return entry;
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> Repository::Find(std::string_view model,
                                                                std::string_view version) const {
  const std::shared_lock lock(mutex_);
  ASSIGN_OR_RETURN(const auto chosen, Choose(model, version));
  if (chosen->second.network != nullptr) return chosen->second.network;
  return Unavailable(NameOf(model, version), chosen->second);
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> Repository::Register(
    const std::string& name, int64_t version, const v1::NetworkDefinition& definition,
    const v1::ServingConfig& serving) {
  RETURN_IF_ERROR(CheckModelName(name));
  if (serving.has_version_policy()) {
    return InvalidArgument(
        "version_policy is for models of the repository: a network is "
        "registered as the one version {}",
        version);
  }
  const std::lock_guard registering(registering_);
  bool is_there = false;  // unavailable
  {
    const std::shared_lock lock(mutex_);
    if (const auto model = models_.find(name); model != models_.end()) {
      const auto entry = model->second.find(version);
      is_there = entry != model->second.end();
      if (is_there && (entry->second.network != nullptr || !entry->second.registered)) {
        return absl::AlreadyExistsError(
            fmt::format("model \"{}\" version {} is hosted already", name, version));
      }
    }
    size_t hosted = 0;
    for (const auto& [model, versions] : models_) hosted += versions.size();
    if (!is_there && hosted >= kMaxVersions) {
      return ResourceExhausted("wants at most {} versions of models, got one more", kMaxVersions);
    }
  }
  ASSIGN_OR_RETURN(HostedDefinition hosted, MakeHosted(definition, serving, name, version,
                                                       environment_.options.queue, NoLabels));
  ASSIGN_OR_RETURN(auto network, HostedNetwork::Create(std::move(hosted), environment_));
  if (environment_.state != nullptr) {
    RETURN_IF_ERROR(environment_.state->Register(
        {.name = name,
         .version = version,
         .definition = ToText(definition),
         .serving = ToText(serving)},
        is_there ? checkpoint::IfExists::kReplace : checkpoint::IfExists::kFail));
  }
  Replace(name, version, {.network = network, .registered = true});
  return network;
}

absl::Status Repository::Unregister(std::string_view name, std::string_view version) {
  const std::lock_guard registering(registering_);
  const std::string model(name);
  int64_t number = 0;
  ModelVersion entry;
  {
    const std::shared_lock lock(mutex_);
    ASSIGN_OR_RETURN(const auto chosen, Choose(name, version));
    std::tie(number, entry) = *chosen;
  }
  if (!entry.registered) {
    if (entry.network == nullptr) return Unavailable(NameOf(name, version), entry);
    return FailedPrecondition(
        "model \"{}\" version {} belongs to the model repository: only registered networks can be "
        "unregistered",
        model, number);
  }
  // First, so that it writes nothing behind that.
  if (entry.network != nullptr) entry.network->Retire();
  if (environment_.state != nullptr) {
    absl::Status status = environment_.state->Unregister(model, number);
    if (!status.ok()) {
      if (entry.network != nullptr) entry.network->Announce();
      return status;
    }
  }
  Forget(model, number,
         entry.network != nullptr ? entry.network->state() : NetworkState::kUnavailable);
  return absl::OkStatus();
}

void Repository::Forget(const std::string& name, int64_t version, NetworkState last_state) {
  {
    const std::lock_guard lock(mutex_);
    models_[name].erase(version);
    if (models_[name].empty()) models_.erase(name);
  }
  environment_.events.Publish(
      {.name = name, .version = version, .state = last_state, .removed = true});
}

}  // namespace lazynet::hosting
