#include "service/hosting/output_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/hosting/serving_options.h"
#include "tests/support/definitions.h"

namespace lazynet::hosting {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::StatusOr<std::vector<OutputLabels>> Read(const std::string& config,
                                               const std::string& text = "") {
  const auto parsed = ParseServingText(config);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return ReadOutputLabels(*parsed, *testing::NetworkOf(testing::LazyMlp()),
                          [&](const std::string& name) -> absl::StatusOr<std::string> {
                            if (name == "absent") return NotFound("absent: no such file");
                            return text;
                          });
}

const std::string output = testing::NetworkOf(testing::LazyMlp())->outputs()[0].name;

std::string Labels(const std::string& file) {
  return "labels { output: '" + output + "' file: '" + file + "' }";
}

TEST(OutputLabels, AreTheLinesOfAFile) {
  EXPECT_THAT(*Read(""), IsEmpty());
  const auto labels = Read(Labels("labels.txt"), "cat\r\n\nbig dog\nbird");
  ASSERT_TRUE(labels.ok()) << labels.status();
  ASSERT_EQ(labels->size(), 1u);
  EXPECT_EQ((*labels)[0].file, "labels.txt");
  EXPECT_THAT((*labels)[0].names, ElementsAre("cat", "", "big dog", "bird"));
  EXPECT_THAT((*Read(Labels("labels.txt"), "one\n"))[0].names, ElementsAre("one"));
  EXPECT_THAT((*Read(Labels("labels.txt"), ""))[0].names, IsEmpty());
}

TEST(OutputLabels, NameWhatIsWrong) {
  const std::string where = "labels of output \"" + output + "\": ";
  const auto error = [](const std::string& config, const std::string& text = "") {
    return std::string(Message(Read(config, text).status()));
  };
  EXPECT_EQ(error("labels { output: 'x' file: 'f' }"),
            "labels of output \"x\": the network has no such output");
  EXPECT_EQ(error(Labels("f") + Labels("f")), where + "are there twice");
  for (const char* name : {"", "..", "../f", "a/b", "/etc/passwd", ".hidden"}) {
    EXPECT_EQ(
        error(Labels(name)),
        where + "wants a file name of letters, digits, '_', '-' and '.', got \"" + name + "\"");
  }
  EXPECT_EQ(error(Labels("absent")), where + "absent: no such file");
  EXPECT_EQ(error(Labels("f"), "a\n" + std::string(4097, 'x')),
            where + "f: line 2: wants at most 4096 bytes, got 4097");
  EXPECT_EQ(error(Labels("f"), std::string((1 << 20) + 1, '\n')),
            where + "f: wants at most 1048576 lines, got more");
}

}  // namespace
}  // namespace lazynet::hosting
