#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/hosting/hosted_network.h"
#include "service/hosting/output_labels.h"
#include "service/hosting/repository_folder.h"

namespace lazynet::hosting {

// A model of the repository's folder: what there is of it, and how it is to be served.
struct ModelFolder {
  std::string name;
  absl::StatusOr<v1::ServingConfig> serving;
  std::map<int64_t, std::string> versions;  // to load, by their paths; empty: there is none
};

// Of a model whose serving.textproto is wrong all versions are there, to say so.
absl::StatusOr<ModelFolder> LookAt(const RepositoryFolder& folder, const std::string& name);

// Hosts a version of it, whose files are at `path`.
absl::StatusOr<std::shared_ptr<HostedNetwork>> LoadVersion(const RepositoryFolder& folder,
                                                           const ModelFolder& model,
                                                           int64_t version, const std::string& path,
                                                           const Environment& environment);

// The SourceStamp of a version, of one that is not there as well.
std::string StampOf(const std::filesystem::path& repository, const std::string& model,
                    const std::string& path);

absl::StatusOr<HostedDefinition> MakeHosted(const v1::NetworkDefinition& definition,
                                            const v1::ServingConfig& serving,
                                            const std::string& name, int64_t version,
                                            const QueueOptions& queue,
                                            const ReadLabelFile& read_labels);

// The label files of a network that has no folder.
absl::StatusOr<std::string> NoLabels(const std::string& name);

}  // namespace lazynet::hosting
