#include "engine/checkpoint/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "tests/engine/checkpoint/support.h"

namespace lazynet::checkpoint {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

absl::Status Write(const std::filesystem::path& path, std::string_view text) {
  const std::array pieces = {std::as_bytes(std::span(text.substr(0, text.size() / 2))),
                             std::as_bytes(std::span(text.substr(text.size() / 2)))};
  return WriteFileAtomically(path, pieces);
}

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class FileTest : public FolderTest {};

TEST_F(FileTest, MapsWhatWasWritten) {
  ASSERT_TRUE(Write(folder_ / "f", "some text").ok());
  const auto file = MappedFile::Open(folder_ / "f");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(Text((*file)->bytes()), "some text");
  EXPECT_THAT(FileNames(), ElementsAre("f"));
}

TEST_F(FileTest, MapsAnEmptyFile) {
  ASSERT_TRUE(Write(folder_ / "f", "").ok());
  const auto file = MappedFile::Open(folder_ / "f");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE((*file)->bytes().empty());
}

TEST_F(FileTest, AMappingDoesNotSeeThatItsFileIsReplacedOrDeleted) {
  ASSERT_TRUE(Write(folder_ / "f", "before").ok());
  const auto file = MappedFile::Open(folder_ / "f");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(Write(folder_ / "f", "after").ok());
  EXPECT_EQ(ReadFile(folder_ / "f"), "after");
  EXPECT_EQ(Text((*file)->bytes()), "before");
  std::filesystem::remove(folder_ / "f");
  EXPECT_EQ(Text((*file)->bytes()), "before");
}

TEST_F(FileTest, KeepsNoDescriptorOpen) {
  ASSERT_TRUE(Write(folder_ / "f", "text").ok());
  const auto open_files = [] {
    const auto files = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  const auto before = open_files();
  const auto file = MappedFile::Open(folder_ / "f");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(open_files(), before);
}

TEST_F(FileTest, SaysThatAFileIsMissingWithoutItsPath) {
  const absl::Status status = MappedFile::Open(folder_ / "none").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("No such file"));
  EXPECT_THAT(status.message(), Not(HasSubstr("none")));
  EXPECT_EQ(Write(folder_ / "none" / "f", "text").code(), absl::StatusCode::kNotFound);
}

TEST_F(FileTest, RefusesWhatIsNoRegularFile) {
  const auto refusal = [](const std::filesystem::path& path) {
    const absl::Status status = MappedFile::Open(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(Message(status));
  };
  EXPECT_EQ(refusal(folder_), "wants a regular file, got a folder");
  EXPECT_EQ(refusal("/dev/zero"), "wants a regular file, got a device");
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal(folder_ / "pipe"), "wants a regular file, got a pipe");
}

TEST_F(FileTest, AFailedWriteLeavesNothingBehind) {
  std::filesystem::create_directory(folder_ / "target");
  WriteFile(folder_ / "target" / "inside", "");
  EXPECT_FALSE(Write(folder_ / "target", "text").ok());
  EXPECT_THAT(FileNames(), ElementsAre("target"));
}

TEST_F(FileTest, WritesWithTheUsualPermissions) {
  ASSERT_TRUE(Write(folder_ / "f", "text").ok());
  const mode_t mask = umask(0);
  umask(mask);
  struct stat info;
  ASSERT_EQ(stat((folder_ / "f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0666 & ~mask);
}

}  // namespace
}  // namespace lazynet::checkpoint
