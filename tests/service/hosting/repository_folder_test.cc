#include "service/hosting/repository_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/service/support/scratch_folder.h"

namespace lazynet::hosting {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

// A repository "models", and beside it what nobody may read through it.
class RepositoryFolderTest : public ::testing::Test {
 protected:
  RepositoryFolderTest() {
    scratch_.Write("models/m/1/file", "inside");
    scratch_.Write("models-2/file", "outside");
    scratch_.Write("secret/file", "outside");
    folder_ = *RepositoryFolder::Open(scratch_.path() / "models");
  }

  void Link(const std::string& name, const fs::path& target) const {
    fs::create_symlink(target, scratch_.path() / "models" / name);
  }

  // The text, or the error.
  std::string Read(const std::string& path) const {
    const auto text = folder_->ReadText(path, 100);
    const auto mapped = folder_->Map(path);
    EXPECT_EQ(text.ok(), mapped.ok()) << path;
    return text.ok() ? *text : std::string(Message(text.status()));
  }

  testing::ScratchFolder scratch_;
  std::unique_ptr<const RepositoryFolder> folder_;
};

TEST_F(RepositoryFolderTest, ReadsWhatLiesBeneath) {
  EXPECT_EQ(Read("m/1/file"), "inside");
  const auto mapped = folder_->Map("m/1/file");
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ((*mapped)->bytes().size(), 6u);
  scratch_.Write("models/.hidden/file", "");
  EXPECT_THAT(*folder_->Folders(""), ElementsAre(".hidden", "m"));
  EXPECT_THAT(*folder_->Folders("m"), ElementsAre("1"));
  EXPECT_TRUE(folder_->Contains("m/1/file"));
  EXPECT_FALSE(folder_->Contains("m/2"));
  EXPECT_EQ(Read("m/2/file"), "file: No such file or directory");
}

TEST_F(RepositoryFolderTest, FollowsLinksThatStayBeneath) {
  Link("relative", "m/1");
  Link("absolute", scratch_.path() / "models/m/1");
  Link("chain", "relative");
  Link("m/up", "../m/1/file");
  EXPECT_EQ(Read("relative/file"), "inside");
  EXPECT_EQ(Read("absolute/file"), "inside");
  EXPECT_EQ(Read("chain/file"), "inside");
  EXPECT_EQ(Read("m/up"), "inside");
  EXPECT_THAT(*folder_->Folders(""), ElementsAre("absolute", "chain", "m", "relative"));
}

TEST_F(RepositoryFolderTest, OpensNothingThatLeadsOut) {
  Link("relative", "../secret");
  Link("absolute", scratch_.path() / "secret");
  Link("chain", "relative");
  Link("sibling", "../models-2");  // the repository's path is a prefix of its
  Link("m/file", scratch_.path() / "secret/file");
  Link("device", "/dev/zero");
  for (const char* path : {"relative/file", "absolute/file", "chain/file", "sibling/file", "m/file",
                           "../secret/file", "m/../../secret/file"}) {
    EXPECT_EQ(Read(path), "file: leads out of the model repository") << path;
  }
  EXPECT_EQ(Read("/etc/passwd"), "passwd: leads out of the model repository");
  EXPECT_EQ(Read("device"), "device: leads out of the model repository");
  EXPECT_EQ(folder_->Folders("relative").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(folder_->Folders("..").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RepositoryFolderTest, ReadsRegularFilesUpToALimit) {
  ASSERT_EQ(mkfifo((scratch_.path() / "models/pipe").c_str(), 0600), 0);
  EXPECT_EQ(Read("pipe"), "pipe: wants a regular file");
  EXPECT_EQ(Read("m"), "m: wants a regular file");
  scratch_.Write("models/large", std::string(101, 'x'));
  EXPECT_EQ(Message(folder_->ReadText("large", 100).status()),
            "large: wants at most 100 bytes, got 101");
  EXPECT_EQ(folder_->ReadText("large", 101)->size(), 101u);
  scratch_.Write("models/empty", "");
  EXPECT_EQ(Read("empty"), "");
  Link("loop", "loop");
  EXPECT_EQ(folder_->ReadText("loop", 1).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RepositoryFolderTest, StaysTheFolderThatWasOpened) {
  fs::rename(scratch_.path() / "models", scratch_.path() / "moved");
  scratch_.Write("models/m/1/file", "another");
  EXPECT_EQ(Read("m/1/file"), "inside");
  EXPECT_EQ(RepositoryFolder::Open(scratch_.path() / "absent").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(RepositoryFolder::Open(scratch_.path() / "secret/file").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace lazynet::hosting
