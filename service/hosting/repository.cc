#include "service/hosting/repository.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "engine/checkpoint/safetensors.h"
#include "service/hosting/definition.h"

namespace lazynet::hosting {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefinitionText = "network.textproto";
constexpr std::string_view kDefinitionJson = "network.json";
constexpr std::string_view kWeights = "weights.safetensors";
constexpr size_t kMaxDefinitionBytes = size_t{64} << 20;

bool IsModelName(std::string_view name) {
  return !name.empty() && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
         });
}

std::optional<int64_t> ParseVersion(std::string_view text) {
  int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1) return std::nullopt;
  return version;
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

absl::StatusOr<nn::NetworkDefinition> ReadDefinition(const fs::path& folder,
                                                     const std::string& name) {
  const bool json = !fs::exists(folder / kDefinitionText) && fs::exists(folder / kDefinitionJson);
  const std::string_view file = json ? kDefinitionJson : kDefinitionText;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(folder / file));
  auto definition = json ? ParseDefinitionJson(text, name) : ParseDefinitionText(text, name);
  if (!definition.ok()) {
    return absl::Status(definition.status().code(), fmt::format("{}:{}{}", file, json ? " " : "",
                                                                Message(definition.status())));
  }
  return definition;
}

absl::StatusOr<nn::StateDict> ReadCheckpoint(const fs::path& folder) {
  const fs::path path = folder / kWeights;
  if (!fs::exists(path)) return nn::StateDict();
  auto file = checkpoint::SafetensorsFile::Open(path);
  if (!file.ok()) return Annotate(kWeights, file.status());
  nn::StateDict state_dict;
  for (const auto& entry : (*file)->tensors()) state_dict.emplace_back(entry.name, entry.tensor);
  return state_dict;
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> LoadVersion(const fs::path& folder,
                                                           const std::string& name, int64_t version,
                                                           const Backends& backends,
                                                           const HostingOptions& options,
                                                           metrics::Registry& registry) {
  ASSIGN_OR_RETURN(nn::NetworkDefinition definition, ReadDefinition(folder, name));
  auto network = nn::Network::Create(std::move(definition));
  if (!network.ok()) return Annotate("definition", network.status());
  ASSIGN_OR_RETURN(const auto checkpoint, ReadCheckpoint(folder));
  return HostedNetwork::Create(*std::move(network), version, checkpoint, backends, options,
                               registry);
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

}  // namespace

absl::StatusOr<Repository> Repository::Load(const fs::path& folder, const Backends& backends,
                                            const HostingOptions& options,
                                            metrics::Registry& registry) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return NotFound("model repository {}: is no folder", folder.string());
  }
  Repository repository;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!entry.is_directory() || name.front() == '.') continue;
      Versions& versions = repository.models_[name];
      if (!IsModelName(name)) {
        versions[1].unavailable = InvalidArgument(
            "a model's name wants letters, digits, '_', '-' and '.', got \"{}\"", name);
        continue;
      }
      for (const auto& [version, path] : FindVersions(entry.path())) {
        auto network = LoadVersion(path, name, version, backends, options, registry);
        ModelVersion& loaded = versions[version];
        loaded.unavailable = network.status();
        if (network.ok()) loaded.network = *std::move(network);
      }
    }
  } catch (const fs::filesystem_error& failure) {
    return absl::UnavailableError(
        fmt::format("model repository {}: {}", folder.string(), failure.code().message()));
  }
  return repository;
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> Repository::Find(std::string_view model,
                                                                std::string_view version) const {
  const auto found = models_.find(model);
  if (found == models_.end()) return NotFound("model \"{}\" is not hosted", model);
  const Versions& versions = found->second;
  if (version.empty()) {
    const auto available = std::find_if(versions.rbegin(), versions.rend(), [](const auto& entry) {
      return entry.second.network != nullptr;
    });
    if (available != versions.rend()) return available->second.network;
    return absl::UnavailableError(fmt::format("model \"{}\" is unavailable: {}", model,
                                              Message(versions.rbegin()->second.unavailable)));
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
  return absl::UnavailableError(fmt::format("model \"{}\" version {} is unavailable: {}", model,
                                            *number, Message(entry->second.unavailable)));
}

}  // namespace lazynet::hosting
