#include "service/hosting/repository.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "engine/checkpoint/safetensors_index.h"
#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/hosting/definition.h"
#include "service/hosting/versions.h"

namespace lazynet::hosting {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefinitionText = "network.textproto";
constexpr std::string_view kDefinitionJson = "network.json";
constexpr std::string_view kWeights = "weights.safetensors";
constexpr std::string_view kWeightsIndex = "weights.safetensors.index.json";
constexpr std::string_view kServing = "serving.textproto";
constexpr size_t kMaxDefinitionBytes = size_t{64} << 20;
constexpr size_t kMaxModels = 65536;

ModelVersion Unloaded() { return {nullptr, absl::NotFoundError("unloaded"), true}; }

absl::Status CheckModelName(std::string_view name) {
  if (IsPlainName(name)) return absl::OkStatus();
  return InvalidArgument("a model's name wants letters, digits, '_', '-' and '.', got \"{}\"",
                         name);
}

absl::StatusOr<std::string> ReadFile(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return NotFound("{}: {}", path.filename().string(), error.message());
  if (size > kMaxDefinitionBytes) {
    return InvalidArgument("{}: wants at most {} bytes, got {}", path.filename().string(),
                           kMaxDefinitionBytes, size);
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return NotFound("{}: cannot be read", path.filename().string());
  return text.str();
}

// "network.textproto:3:7: ...".
absl::Status InFile(std::string_view file, std::string_view separator, const absl::Status& status) {
  return absl::Status(status.code(), fmt::format("{}:{}{}", file, separator, Message(status)));
}

absl::StatusOr<v1::NetworkDefinition> ReadDefinition(const fs::path& folder) {
  const bool json = !fs::exists(folder / kDefinitionText) && fs::exists(folder / kDefinitionJson);
  const std::string_view file = json ? kDefinitionJson : kDefinitionText;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(folder / file));
  auto definition = json ? ReadDefinitionJson(text) : ReadDefinitionText(text);
  if (!definition.ok()) return InFile(file, json ? " " : "", definition.status());
  return definition;
}

absl::StatusOr<v1::ServingConfig> ReadServing(const fs::path& folder) {
  if (!fs::exists(folder / kServing)) return v1::ServingConfig();
  ASSIGN_OR_RETURN(const std::string text, ReadFile(folder / kServing));
  auto config = ParseServingText(text);
  if (!config.ok()) return InFile(kServing, "", config.status());
  return config;
}

absl::StatusOr<nn::StateDict> ReadCheckpoint(const fs::path& folder) {
  nn::StateDict values;
  for (const std::string_view name : {kWeightsIndex, kWeights}) {
    if (!fs::exists(folder / name)) continue;
    auto tensors = checkpoint::ReadSafetensors(folder / name);
    if (!tensors.ok()) return Annotate(name, tensors.status());
    for (auto& entry : *tensors) values.emplace_back(entry.name, std::move(entry.tensor));
    break;
  }
  return values;
}

absl::StatusOr<HostedDefinition> MakeHosted(const v1::NetworkDefinition& definition,
                                            const v1::ServingConfig& serving,
                                            const std::string& name, int64_t version,
                                            const QueueOptions& queue) {
  ASSIGN_OR_RETURN(nn::NetworkDefinition converted, ConvertDefinition(definition, name));
  auto network = nn::Network::Create(std::move(converted));
  if (!network.ok()) return Annotate("definition", network.status());
  HostedDefinition hosted{
      .network = *std::move(network), .version = version, .fingerprint = Fingerprint(definition)};
  auto options = ConvertServing(serving, *hosted.network, queue);
  if (!options.ok()) return Annotate("serving", options.status());
  hosted.serving = *std::move(options);
  return hosted;
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> LoadVersion(const fs::path& folder,
                                                           const fs::path& model,
                                                           const std::string& name, int64_t version,
                                                           const Environment& environment) {
  ASSIGN_OR_RETURN(const v1::NetworkDefinition definition, ReadDefinition(folder));
  ASSIGN_OR_RETURN(const v1::ServingConfig serving, ReadServing(model));
  ASSIGN_OR_RETURN(HostedDefinition hosted,
                   MakeHosted(definition, serving, name, version, environment.options.queue));
  ASSIGN_OR_RETURN(hosted.checkpoint, ReadCheckpoint(folder));
  return HostedNetwork::Create(std::move(hosted), environment);
}

// Version folders of a model, or the model's own folder as version 1.
std::map<int64_t, fs::path> FindVersions(const fs::path& model) {
  std::map<int64_t, fs::path> versions;
  for (const auto& entry : fs::directory_iterator(model)) {
    const auto version = ParseVersion(entry.path().filename().string());
    if (entry.is_directory() && version) versions[*version] = entry.path();
  }
  if (versions.empty()) versions[1] = model;
  return versions;
}

absl::Status Unavailable(std::string_view what, const ModelVersion& version) {
  const auto code = version.unloaded ? absl::StatusCode::kNotFound : absl::StatusCode::kUnavailable;
  return absl::Status(code,
                      fmt::format("{} is unavailable: {}", what, Message(version.unavailable)));
}

std::string ToText(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Repository>> Repository::Load(const fs::path& folder,
                                                             const Environment& environment) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return NotFound("model repository {}: is no folder", folder.string());
  }
  std::unique_ptr<Repository> repository(new Repository(folder, environment));
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_directory() && name.front() != '.') repository->LoadModel(entry.path(), name);
    }
  } catch (const fs::filesystem_error& failure) {
    return absl::UnavailableError(
        fmt::format("model repository {}: {}", folder.string(), failure.code().message()));
  }
  RETURN_IF_ERROR(repository->LoadRegistered());
  return repository;
}

void Repository::LoadModel(const fs::path& folder, const std::string& name) {
  if (absl::Status status = CheckModelName(name); !status.ok()) {
    Replace(name, 1, {nullptr, std::move(status)});
    return;
  }
  for (const auto& [version, path] : FindVersions(folder)) {
    auto network = LoadVersion(path, folder, name, version, environment_);
    if (network.ok()) {
      models_[name][version].network = *std::move(network);
    } else {
      Replace(name, version, {nullptr, network.status()});
    }
  }
}

void Repository::Replace(const std::string& name, int64_t version, ModelVersion loaded) {
  NetworkEvent event{.name = name, .version = version, .state = NetworkState::kUnavailable};
  if (loaded.network != nullptr) {
    event.state = loaded.network->state();
  } else {
    event.reason = std::string(Message(loaded.unavailable));
  }
  {
    const std::lock_guard lock(mutex_);
    models_[name][version] = std::move(loaded);
  }
  environment_.events.Publish(std::move(event));
}

absl::Status Repository::CheckNotRegistered(const std::string& name) const {
  for (const auto& [version, entry] : versions(name)) {
    if (entry.network == nullptr || !entry.network->registered()) continue;
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
  std::map<int64_t, fs::path> found;
  std::error_code error;
  if (fs::is_directory(folder_ / name, error)) {
    try {
      found = FindVersions(folder_ / name);
    } catch (const fs::filesystem_error& failure) {
      return FailedPrecondition("model \"{}\": {}", name, failure.code().message());
    }
  }
  if (found.empty()) return NotFound("the model repository has no model \"{}\"", name);
  const Versions before = versions(name);
  std::vector<std::string> failures;
  for (const auto& [version, path] : found) {
    auto network = LoadVersion(path, folder_ / name, name, version, environment_);
    if (network.ok()) {
      Replace(name, version, {*std::move(network), absl::OkStatus()});
      continue;
    }
    failures.push_back(fmt::format("version {}: {}", version, Message(network.status())));
    const auto old = before.find(version);
    const bool serves = old != before.end() && old->second.network != nullptr;
    if (!serves) Replace(name, version, {nullptr, network.status()});
  }
  for (const auto& [version, entry] : before) {
    if (found.contains(version) || entry.network == nullptr) continue;
    Replace(name, version, Unloaded());
  }
  if (failures.empty()) return absl::OkStatus();
  return FailedPrecondition("model \"{}\" {}", name, fmt::join(failures, "; "));
}

absl::Status Repository::Unload(const std::string& name) {
  RETURN_IF_ERROR(CheckModelName(name));
  const std::lock_guard registering(registering_);
  RETURN_IF_ERROR(CheckNotRegistered(name));
  for (const auto& [version, entry] : versions(name)) {
    if (entry.network != nullptr) Replace(name, version, Unloaded());
  }
  return absl::OkStatus();
}

absl::Status Repository::LoadRegistered() {
  if (environment_.state == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto networks, environment_.state->RegisteredNetworks());
  for (const StateDirectory::Registered& registered : networks) {
    const auto make = [&]() -> absl::StatusOr<std::shared_ptr<HostedNetwork>> {
      if (models_[registered.name].contains(registered.version)) {
        return absl::AlreadyExistsError("the model repository has this version, too");
      }
      ASSIGN_OR_RETURN(const auto definition, ReadDefinitionText(registered.definition));
      ASSIGN_OR_RETURN(const auto serving, ParseServingText(registered.serving));
      ASSIGN_OR_RETURN(HostedDefinition hosted,
                       MakeHosted(definition, serving, registered.name, registered.version,
                                  environment_.options.queue));
      hosted.registered = true;
      return HostedNetwork::Create(std::move(hosted), environment_);
    };
    auto network = make();
    if (network.ok()) {
      models_[registered.name][registered.version].network = *std::move(network);
    } else if (network.status().code() != absl::StatusCode::kAlreadyExists) {
      Replace(registered.name, registered.version, {nullptr, network.status()});
    }
  }
  return absl::OkStatus();
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

absl::StatusOr<std::shared_ptr<HostedNetwork>> Repository::Find(std::string_view model,
                                                                std::string_view version) const {
  const std::shared_lock lock(mutex_);
  const auto found = models_.find(model);
  if (found == models_.end()) return NotFound("model \"{}\" is not hosted", model);
  const Versions& versions = found->second;
  if (version.empty()) {
    const auto available = std::find_if(versions.rbegin(), versions.rend(), [](const auto& entry) {
      return entry.second.network != nullptr;
    });
    if (available != versions.rend()) return available->second.network;
    return Unavailable(fmt::format("model \"{}\"", model), versions.rbegin()->second);
  }
  const std::optional<int64_t> number = ParseVersion(version);
  if (!number) {
    return InvalidArgument("model \"{}\": wants a version number, got \"{}\"", model, version);
  }
  const auto entry = versions.find(*number);
  if (entry == versions.end()) {
    return NotFound("model \"{}\" has no version {}", model, *number);
  }
  if (entry->second.network != nullptr) return entry->second.network;
  return Unavailable(fmt::format("model \"{}\" version {}", model, *number), entry->second);
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> Repository::Register(
    const std::string& name, int64_t version, const v1::NetworkDefinition& definition,
    const v1::ServingConfig& serving) {
  RETURN_IF_ERROR(CheckModelName(name));
  const std::lock_guard registering(registering_);
  {
    const std::shared_lock lock(mutex_);
    const auto model = models_.find(name);
    if (model != models_.end() && model->second.contains(version)) {
      return absl::AlreadyExistsError(
          fmt::format("model \"{}\" version {} is hosted already", name, version));
    }
    if (models_.size() >= kMaxModels) {
      return ResourceExhausted("wants at most {} models, got one more", kMaxModels);
    }
  }
  ASSIGN_OR_RETURN(HostedDefinition hosted,
                   MakeHosted(definition, serving, name, version, environment_.options.queue));
  hosted.registered = true;
  ASSIGN_OR_RETURN(auto network, HostedNetwork::Create(std::move(hosted), environment_));
  if (environment_.state != nullptr) {
    RETURN_IF_ERROR(environment_.state->Register({.name = name,
                                                  .version = version,
                                                  .definition = ToText(definition),
                                                  .serving = ToText(serving)}));
  }
  const std::lock_guard lock(mutex_);
  models_[name][version].network = network;
  return network;
}

absl::Status Repository::Unregister(std::string_view name, std::string_view version) {
  const std::lock_guard registering(registering_);
  ASSIGN_OR_RETURN(const auto network, Find(name, version));
  const std::string model = network->network().name();
  if (!network->registered()) {
    return FailedPrecondition(
        "model \"{}\" version {} belongs to the model repository: only registered networks can be "
        "unregistered",
        model, network->version());
  }
  if (environment_.state != nullptr) {
    RETURN_IF_ERROR(environment_.state->Unregister(model, network->version()));
  }
  {
    const std::lock_guard lock(mutex_);
    models_[model].erase(network->version());
    if (models_[model].empty()) models_.erase(model);
  }
  environment_.events.Publish(
      {.name = model, .version = network->version(), .state = network->state(), .removed = true});
  return absl::OkStatus();
}

}  // namespace lazynet::hosting
