// The repository's folder read again: what changed is loaded, what did not is not touched.

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "proto/lazynet/v1/network.pb.h"
#include "service/hosting/repository.h"
#include "tests/service/metrics/text_format.h"
#include "tests/service/support/scratch_folder.h"
#include "tests/service/support/test_host.h"

namespace lazynet::hosting {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kLazy = "layers { name: \"fc\" linear { out_features: 2 } }";
constexpr const char* kCannotBind =
    "binding_policy: AT_LOAD bind_inputs { shape: [1, 3] } max_parameter_bytes: 8";
constexpr const char* kWrong = "layers { name: \"fc\" linear {} }";

class RepositoryReload : public ::testing::Test {
 protected:
  void Load() {
    auto loaded = Repository::Load(folder_.path(), host_.environment);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    repository_ = *std::move(loaded);
  }

  // "name version what", for each change.
  std::vector<std::string> Changes(const std::stop_token& stop = {}) {
    static constexpr const char* kKinds[] = {"loaded", "reloaded", "unloaded", "failed"};
    std::vector<std::string> lines;
    for (const RepositoryChange& change : repository_->LoadChanges(stop)) {
      EXPECT_EQ(change.status.ok(), change.kind != RepositoryChange::Kind::kFailed);
      lines.push_back(change.name + " " + std::to_string(change.version) + " " +
                      kKinds[static_cast<int>(change.kind)]);
    }
    return lines;
  }

  static v1::NetworkDefinition Definition() {
    v1::NetworkDefinition definition;
    LAZYNET_CHECK(google::protobuf::TextFormat::ParseFromString(kLazy, &definition));
    return definition;
  }

  // The last event of each network.
  std::vector<std::string> Told() {
    static constexpr const char* kStates[] = {"lazy", "materializing", "ready", "evicted",
                                              "unavailable"};
    std::vector<std::string> told;
    for (const auto& event : host_.events.Next(0, std::chrono::milliseconds(0))) {
      told.push_back(event.name + " " +
                     (event.removed ? "removed" : kStates[static_cast<int>(event.state)]));
    }
    return told;
  }

  std::optional<double> Gauge(const std::string& name, const std::string& model,
                              const std::string& more = "") {
    return metrics::ValueOf(host_.registry.Text(), "lazynet_" + name + "{model=\"" + model +
                                                       "\",version=\"1\"" +
                                                       (more.empty() ? "" : ",") + more + "}");
  }

  std::shared_ptr<HostedNetwork> Find(const std::string& name, const std::string& version = "") {
    auto found = repository_->Find(name, version);
    return found.ok() ? *found : nullptr;
  }

  testing::ScratchFolder folder_;
  testing::TestHost host_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(RepositoryReload, WhatDidNotChangeIsNotTouched) {
  folder_.Write("m/network.textproto", kLazy);
  folder_.Write("many/1/network.textproto", kLazy);
  folder_.Write("many/serving.textproto", "binding_policy: ON_FIRST_REQUEST");
  Load();
  const auto before = Find("m");
  const std::vector<Shape> shapes{Shape({1, 3})};
  ASSERT_TRUE(before->Initialize(shapes).ok());
  EXPECT_THAT(Changes(), IsEmpty());
  EXPECT_EQ(Find("m"), before);
  EXPECT_NE(Find("m")->bound(), nullptr);
  EXPECT_THAT(Changes(), IsEmpty());
}

TEST_F(RepositoryReload, NewChangedAndMissingModelsFollowTheFolder) {
  folder_.Write("changed/network.textproto", kLazy);
  folder_.Write("gone/network.textproto", kLazy);
  folder_.Write("same/network.textproto", kLazy);
  Load();
  const auto same = Find("same");
  const auto changed = Find("changed");
  folder_.Write("changed/network.textproto", std::string(kLazy) + "\n");
  folder_.Write("new/network.textproto", kLazy);
  fs::remove_all(folder_.path() / "gone");
  EXPECT_THAT(Changes(), ElementsAre("changed 1 reloaded", "gone 1 unloaded", "new 1 loaded"));
  EXPECT_EQ(Find("same"), same);
  EXPECT_NE(Find("changed"), changed);
  EXPECT_EQ(repository_->Find("gone", "").status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(Find("new"), nullptr);
  EXPECT_THAT(Changes(), IsEmpty());
  folder_.Write("gone/network.textproto", kLazy);
  EXPECT_THAT(Changes(), ElementsAre("gone 1 loaded"));
}

TEST_F(RepositoryReload, EachVersionIsLookedAtByItself) {
  folder_.Write("m/1/network.textproto", kLazy);
  folder_.Write("m/2/network.textproto", kLazy);
  Load();
  const auto first = Find("m", "1");
  folder_.Write("m/2/network.textproto", std::string(kLazy) + "\n");
  folder_.Write("m/3/network.textproto", kLazy);
  EXPECT_THAT(Changes(), ElementsAre("m 2 reloaded", "m 3 loaded"));
  EXPECT_EQ(Find("m", "1"), first);
  fs::remove_all(folder_.path() / "m/2");
  EXPECT_THAT(Changes(), ElementsAre("m 2 unloaded"));
  folder_.Write("m/serving.textproto", "max_parameter_bytes: 1000000");
  EXPECT_THAT(Changes(), ElementsAre("m 1 reloaded", "m 3 reloaded"));
}

TEST_F(RepositoryReload, AFileThatIsReplacedWithTheSameSizeAndTimeIsAChange) {
  folder_.Write("m/network.textproto", kLazy);
  Load();
  const fs::path file = folder_.path() / "m/network.textproto";
  const auto time = fs::last_write_time(file);
  folder_.Write("next", "layers { name: \"fc\" linear { out_features: 7 } }");
  fs::last_write_time(folder_.path() / "next", time);
  fs::rename(folder_.path() / "next", file);
  EXPECT_THAT(Changes(), ElementsAre("m 1 reloaded"));
}

TEST_F(RepositoryReload, WhatDoesNotLoadLeavesTheOldOneServing) {
  folder_.Write("m/network.textproto", kLazy);
  folder_.Write("never/network.textproto", kWrong);
  Load();
  const auto old = Find("m");
  folder_.Write("m/network.textproto", kWrong);
  EXPECT_THAT(Changes(), ElementsAre("m 1 failed", "never 1 failed"));
  EXPECT_EQ(Find("m"), old);
  // It is tried, and told, again.
  EXPECT_THAT(Changes(), ElementsAre("m 1 failed", "never 1 failed"));
  folder_.Write("m/network.textproto", kLazy);
  folder_.Write("never/network.textproto", kLazy);
  EXPECT_THAT(Changes(), ElementsAre("m 1 reloaded", "never 1 loaded"));
}

TEST_F(RepositoryReload, OnlyWhatIsHostedIsTold) {
  folder_.Write("m/network.textproto", kLazy);
  Load();
  const std::vector<Shape> shapes{Shape({1, 3})};
  const auto old = Find("m");
  ASSERT_TRUE(old->Prepare(shapes).ok());
  EXPECT_THAT(Told(), ElementsAre("m ready"));
  // One that is constructed, and cannot bind at load.
  folder_.Write("m/serving.textproto", kCannotBind);
  EXPECT_THAT(Changes(), ElementsAre("m 1 failed"));
  EXPECT_THAT(Told(), ElementsAre("m ready"));
  EXPECT_EQ(Gauge("network_state", "m", "state=\"ready\""), 1);
  folder_.Write("m/serving.textproto", "");
  EXPECT_THAT(Changes(), ElementsAre("m 1 reloaded"));
  EXPECT_THAT(Told(), ElementsAre("m lazy"));
  EXPECT_EQ(Gauge("network_state", "m", "state=\"lazy\""), 1);
  // Requests of the old one still run.
  ASSERT_TRUE(old->EvictParameters());
  ASSERT_TRUE(old->Prepare(shapes).ok());
  EXPECT_THAT(Told(), ElementsAre("m lazy"));
  EXPECT_EQ(Gauge("network_state", "m", "state=\"lazy\""), 1);
  EXPECT_EQ(Gauge("uninitialized_parameters", "m"), 2);
}

TEST_F(RepositoryReload, ARegistrationThatFailsIsNotTold) {
  Load();
  v1::ServingConfig serving;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(kCannotBind, &serving));
  EXPECT_FALSE(repository_->Register("mine", 1, Definition(), serving).ok());
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(RepositoryReload, ARemovedNetworkIsToldNoMore) {
  Load();
  const auto network = *repository_->Register("mine", 1, Definition(), {});
  EXPECT_THAT(Told(), ElementsAre("mine lazy"));
  ASSERT_TRUE(repository_->Unregister("mine", "").ok());
  ASSERT_TRUE(network->Prepare(std::vector<Shape>{Shape({1, 3})}).ok());
  EXPECT_THAT(Told(), ElementsAre("mine removed"));
}

TEST_F(RepositoryReload, WhatCannotBeLoadedIsShownAsUnavailable) {
  folder_.Write("m/network.textproto", kWrong);
  Load();
  EXPECT_EQ(Gauge("network_state", "m", "state=\"unavailable\""), 1);
  folder_.Write("m/network.textproto", kLazy);
  EXPECT_THAT(Changes(), ElementsAre("m 1 loaded"));
  EXPECT_EQ(Gauge("network_state", "m", "state=\"unavailable\""), 0);
  EXPECT_EQ(Gauge("network_state", "m", "state=\"lazy\""), 1);
  ASSERT_TRUE(repository_->Unload("m").ok());
  EXPECT_EQ(Gauge("network_state", "m", "state=\"unavailable\""), std::nullopt);
}

TEST_F(RepositoryReload, WhatWasUnloadedByHandStaysSoUntilItsFilesChange) {
  folder_.Write("m/network.textproto", kLazy);
  Load();
  ASSERT_TRUE(repository_->Unload("m").ok());
  EXPECT_THAT(Changes(), IsEmpty());
  EXPECT_EQ(Find("m"), nullptr);
  folder_.Write("m/network.textproto", std::string(kLazy) + "\n");
  EXPECT_THAT(Changes(), ElementsAre("m 1 loaded"));
}

TEST_F(RepositoryReload, NetworksOfClientsAreNotTheFoldersBusiness) {
  folder_.Write("m/network.textproto", kLazy);
  Load();
  v1::NetworkDefinition definition;
  definition.add_layers()->set_name("y");
  definition.mutable_layers(0)->mutable_relu();
  ASSERT_TRUE(repository_->Register("mine", 1, definition, {}).ok());
  EXPECT_THAT(Changes(), IsEmpty());
  EXPECT_NE(Find("mine"), nullptr);
  folder_.Write("mine/network.textproto", kLazy);
  EXPECT_THAT(Changes(), ElementsAre("mine 1 failed"));
  EXPECT_TRUE(repository_->versions("mine")[1].registered);
}

TEST_F(RepositoryReload, AFolderThatCannotBeReadUnloadsNothing) {
  folder_.Write("models/m/network.textproto", kLazy);
  auto loaded = Repository::Load(folder_.path() / "models", host_.environment);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  repository_ = *std::move(loaded);
  fs::remove_all(folder_.path() / "models");
  EXPECT_THAT(Changes(), ElementsAre(" 0 failed"));
  EXPECT_NE(Find("m"), nullptr);
}

TEST_F(RepositoryReload, StopsBetweenModelsWhenItIsTold) {
  Load();
  folder_.Write("m/network.textproto", kLazy);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(Changes(stop.get_token()), IsEmpty());
  EXPECT_EQ(Find("m"), nullptr);
}

class RegisteredNetworks : public RepositoryReload {
 protected:
  // As a server that starts on the state directory.
  void Restart() {
    repository_ = nullptr;
    folder_.Write("models/.keep", "");
    state_ = *StateDirectory::Open(folder_.path() / "state");
    host_with_state_ = std::make_unique<testing::TestHost>(size_t{1} << 30, state_.get());
    auto loaded = Repository::Load(folder_.path() / "models", host_with_state_->environment);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    repository_ = *std::move(loaded);
  }

  void TearDown() override { repository_ = nullptr; }

  fs::path FolderOf(const std::string& name) const {
    return folder_.path() / "state/networks" / name / "1";
  }

  std::unique_ptr<StateDirectory> state_;
  std::unique_ptr<testing::TestHost> host_with_state_;
};

TEST_F(RegisteredNetworks, OneThatCannotBeLoadedCanBeRemovedOrReplaced) {
  Restart();
  for (const char* name : {"gone", "mended"}) {
    ASSERT_TRUE(repository_->Register(name, 1, Definition(), {}).ok());
    folder_.Write(FolderOf(name).lexically_relative(folder_.path()) / "network.textproto", kWrong);
  }
  Restart();
  EXPECT_EQ(repository_->Find("gone", "").status().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(repository_->Unregister("gone", "").ok());
  EXPECT_EQ(repository_->Find("gone", "").status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(FolderOf("gone") / "network.textproto"));
  EXPECT_TRUE(repository_->Register("gone", 1, Definition(), {}).ok());
  EXPECT_TRUE(repository_->Register("mended", 1, Definition(), {}).ok());
  Restart();
  EXPECT_NE(Find("gone"), nullptr);
  EXPECT_NE(Find("mended"), nullptr);
}

TEST_F(RegisteredNetworks, OneThatCannotBeReadStopsNoOther) {
  Restart();
  ASSERT_TRUE(repository_->Register("fine", 1, Definition(), {}).ok());
  fs::create_directories(FolderOf("folder") / "network.textproto");
  fs::create_directories(FolderOf("loop"));
  fs::create_symlink(FolderOf("loop") / "network.textproto",
                     FolderOf("loop") / "network.textproto");
  Restart();
  EXPECT_NE(Find("fine"), nullptr);
  EXPECT_EQ(repository_->Find("folder", "").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(repository_->Find("loop", "").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RegisteredNetworks, OneThatCouldNotBeLoadedIsTriedAgain) {
  Restart();
  const auto definition =
      FolderOf("mended").lexically_relative(folder_.path()) / "network.textproto";
  for (const char* name : {"fine", "mended"}) {
    ASSERT_TRUE(repository_->Register(name, 1, Definition(), {}).ok());
  }
  folder_.Write(definition, kWrong);
  Restart();
  const auto fine = Find("fine");
  EXPECT_THAT(Changes(), ElementsAre("mended 1 failed"));
  folder_.Write(definition, kLazy);
  EXPECT_THAT(Changes(), ElementsAre("mended 1 loaded"));
  EXPECT_NE(Find("mended"), nullptr);
  EXPECT_EQ(Find("fine"), fine);
  EXPECT_THAT(Changes(), IsEmpty());
}

// A list with text that is no UTF-8 could be read by no client.
TEST_F(RepositoryReload, AFolderThatIsNoNameIsListedWithEscapes) {
  folder_.Write("caf\xe9/network.textproto", kLazy);
  Load();
  const auto models = repository_->models();
  ASSERT_EQ(models.size(), 1u);
  EXPECT_EQ(models.begin()->first, "caf\\xe9");
  EXPECT_EQ(models.begin()->second.at(1).unavailable.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Changes(), ElementsAre("caf\\xe9 1 failed"));
}

}  // namespace
}  // namespace lazynet::hosting
