#include "service/hosting/version_policy.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "proto/lazynet/v1/lazynet.pb.h"

namespace lazynet::hosting {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

absl::StatusOr<VersionPolicy> Read(const std::string& text) {
  v1::VersionPolicy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &policy)) << text;
  return ConvertVersionPolicy(policy);
}

std::map<int64_t, std::string> Chosen(const std::string& text,
                                      const std::map<int64_t, std::string>& found) {
  const auto policy = Read(text);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? policy->Choose(found) : std::map<int64_t, std::string>();
}

TEST(VersionPolicy, ChoosesAsItSays) {
  const std::map<int64_t, std::string> found = {{1, "m/1"}, {3, "m/3"}, {20, "m/20"}};
  EXPECT_EQ(Chosen("", found), found);
  EXPECT_EQ(Chosen("all {}", found), found);
  EXPECT_THAT(Chosen("latest {}", found), ElementsAre(Pair(20, "m/20")));
  EXPECT_THAT(Chosen("latest { num_versions: 2 }", found),
              ElementsAre(Pair(3, "m/3"), Pair(20, "m/20")));
  EXPECT_EQ(Chosen("latest { num_versions: 4294967295 }", found), found);
  EXPECT_THAT(Chosen("latest {}", {}), IsEmpty());
  EXPECT_THAT(Chosen("specific { versions: [3, 7, 3] }", found),
              ElementsAre(Pair(3, "m/3"), Pair(7, "")));
}

TEST(VersionPolicy, RefusesVersionsThatAreNone) {
  EXPECT_EQ(Message(Read("specific {}").status()),
            "version_policy: wants at least one specific version, got none");
  EXPECT_EQ(Message(Read("specific { versions: [2, 0] }").status()),
            "version_policy: wants versions of at least 1, got 0");
}

}  // namespace
}  // namespace lazynet::hosting
