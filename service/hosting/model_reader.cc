#include "service/hosting/model_reader.h"

#include <utility>

#include "engine/checkpoint/safetensors_index.h"
#include "service/hosting/definition.h"
#include "service/hosting/source_stamp.h"
#include "service/hosting/version_policy.h"
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
constexpr size_t kMaxLabelBytes = size_t{16} << 20;

// "network.textproto:3:7: ...".
absl::Status InFile(std::string_view file, std::string_view separator, const absl::Status& status) {
  return absl::Status(status.code(), fmt::format("{}:{}{}", file, separator, Message(status)));
}

std::string Join(std::string_view folder, std::string_view name) {
  return fmt::format("{}/{}", folder, name);
}

absl::StatusOr<v1::NetworkDefinition> ReadDefinition(const RepositoryFolder& folder,
                                                     const std::string& path) {
  const bool json =
      !folder.Contains(Join(path, kDefinitionText)) && folder.Contains(Join(path, kDefinitionJson));
  const std::string_view file = json ? kDefinitionJson : kDefinitionText;
  ASSIGN_OR_RETURN(const std::string text, folder.ReadText(Join(path, file), kMaxDefinitionBytes));
  auto definition = json ? ReadDefinitionJson(text) : ReadDefinitionText(text);
  if (!definition.ok()) return InFile(file, json ? " " : "", definition.status());
  return definition;
}

absl::StatusOr<v1::ServingConfig> ReadServing(const RepositoryFolder& folder,
                                              const std::string& model) {
  const std::string path = Join(model, kServing);
  if (!folder.Contains(path)) return v1::ServingConfig();
  ASSIGN_OR_RETURN(const std::string text, folder.ReadText(path, kMaxDefinitionBytes));
  auto config = ParseServingText(text);
  if (!config.ok()) return InFile(kServing, "", config.status());
  return config;
}

absl::StatusOr<nn::StateDict> ReadCheckpoint(const RepositoryFolder& folder,
                                             const std::string& path) {
  const auto open = [&](const std::string& name) { return folder.Map(Join(path, name)); };
  nn::StateDict values;
  for (const std::string_view name : {kWeightsIndex, kWeights}) {
    if (!folder.Contains(Join(path, name))) continue;
    auto tensors = checkpoint::ReadSafetensors(std::string(name), open);
    if (!tensors.ok()) return Annotate(name, tensors.status());
    for (auto& entry : *tensors) values.emplace_back(entry.name, std::move(entry.tensor));
    break;
  }
  return values;
}

// A label file is the version's own, or the model's.
ReadLabelFile LabelsOf(const RepositoryFolder& folder, const std::string& model,
                       const std::string& version) {
  return [&folder, model, version](const std::string& name) {
    const bool own = folder.Contains(Join(version, name));
    return folder.ReadText(Join(own ? version : model, name), kMaxLabelBytes);
  };
}

// Version folders of a model, or the model's own folder as version 1.
absl::StatusOr<std::map<int64_t, std::string>> FindVersions(const RepositoryFolder& folder,
                                                            const std::string& model) {
  ASSIGN_OR_RETURN(const std::vector<std::string> folders, folder.Folders(model));
  std::map<int64_t, std::string> versions;
  // Of "01" and "1" it is the last, as requests write it.
  for (const std::string& name : folders) {
    if (const auto version = ParseVersion(name)) versions[*version] = Join(model, name);
  }
  if (versions.empty()) versions[1] = model;
  return versions;
}

}  // namespace

absl::StatusOr<std::string> NoLabels(const std::string& name) {
  return InvalidArgument("{}: a registered network has no files", name);
}

absl::StatusOr<HostedDefinition> MakeHosted(const v1::NetworkDefinition& definition,
                                            const v1::ServingConfig& serving,
                                            const std::string& name, int64_t version,
                                            const QueueOptions& queue,
                                            const ReadLabelFile& read_labels) {
  ASSIGN_OR_RETURN(nn::NetworkDefinition converted, ConvertDefinition(definition, name));
  auto network = nn::Network::Create(std::move(converted));
  if (!network.ok()) return Annotate("definition", network.status());
  HostedDefinition hosted{
      .network = *std::move(network), .version = version, .fingerprint = Fingerprint(definition)};
  auto options = ConvertServing(serving, *hosted.network, queue);
  if (!options.ok()) return Annotate("serving", options.status());
  hosted.serving = *std::move(options);
  auto labels = ReadOutputLabels(serving, *hosted.network, read_labels);
  if (!labels.ok()) return Annotate("serving", labels.status());
  hosted.labels = *std::move(labels);
  return hosted;
}

absl::StatusOr<ModelFolder> LookAt(const RepositoryFolder& folder, const std::string& name) {
  ModelFolder model{.name = name, .serving = ReadServing(folder, name)};
  ASSIGN_OR_RETURN(auto found, FindVersions(folder, name));
  if (model.serving.ok()) {
    const auto policy = ConvertVersionPolicy(model.serving->version_policy());
    if (policy.ok()) {
      model.versions = policy->Choose(found);
      return model;
    }
    model.serving = InFile(kServing, " ", policy.status());
  }
  model.versions = std::move(found);
  return model;
}

absl::StatusOr<std::shared_ptr<HostedNetwork>> LoadVersion(const RepositoryFolder& folder,
                                                           const ModelFolder& model,
                                                           int64_t version, const std::string& path,
                                                           const Environment& environment) {
  RETURN_IF_ERROR(model.serving.status());
  if (path.empty()) return NotFound("version_policy wants it, and it has no folder");
  ASSIGN_OR_RETURN(const v1::NetworkDefinition definition, ReadDefinition(folder, path));
  ASSIGN_OR_RETURN(HostedDefinition hosted,
                   MakeHosted(definition, *model.serving, model.name, version,
                              environment.options.queue, LabelsOf(folder, model.name, path)));
  ASSIGN_OR_RETURN(hosted.checkpoint, ReadCheckpoint(folder, path));
  return HostedNetwork::Create(std::move(hosted), environment);
}

std::string StampOf(const fs::path& repository, const std::string& model, const std::string& path) {
  return SourceStamp(path.empty() ? fs::path() : repository / path, repository / model);
}

}  // namespace lazynet::hosting
