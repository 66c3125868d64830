#include "service/security/bearer_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/status.h"
#include "tests/service/support/scratch_folder.h"

namespace lazynet::security {
namespace {

using ::testing::ElementsAre;

class BearerTokensTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& text) const {
    folder_.Write("tokens", text);
    return (folder_.path() / "tokens").string();
  }

  testing::ScratchFolder folder_;
};

TEST_F(BearerTokensTest, AFileHasATokenALine) {
  const auto tokens = ReadTokens("--f", Write("one\n\n  two \r\nthree"));
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_THAT(*tokens, ElementsAre("one", "two", "three"));
}

TEST_F(BearerTokensTest, WhatIsNoTokenIsNamed) {
  const std::string file = Write("one\ntwo words\n");
  EXPECT_EQ(Message(ReadTokens("--f", file).status()),
            "--f " + file + ": line 2: wants a token of at most 4096 visible characters");
  Write(" \n\n");
  EXPECT_EQ(Message(ReadTokens("--f", file).status()), "--f " + file + ": wants a token, got none");
  Write(std::string(4097, 'x'));
  EXPECT_EQ(ReadTokens("--f", file).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadTokens("--f", file + "-not").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BearerTokensTest, AnyOfTheTokensOpens) {
  const auto tokens = BearerTokens::Load("--f", Write("old\nnew\n"));
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_TRUE((*tokens)->Check("Bearer old").ok());
  EXPECT_TRUE((*tokens)->Check("bearer new").ok());
}

TEST_F(BearerTokensTest, NoTokenIsUnauthenticatedAndAWrongOneIsDenied) {
  const auto tokens = BearerTokens::Load("--f", Write("secret"));
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  for (const char* none : {"", "secret", "Basic secret", "Bearer", "Bearer ", "Bearersecret"}) {
    EXPECT_EQ((*tokens)->Check(none).code(), absl::StatusCode::kUnauthenticated) << none;
  }
  for (const char* wrong : {"Bearer s", "Bearer secrets", "Bearer Secret", "Bearer  secret"}) {
    EXPECT_EQ((*tokens)->Check(wrong).code(), absl::StatusCode::kPermissionDenied) << wrong;
  }
}

TEST_F(BearerTokensTest, ReloadingReplacesThemOrLeavesThem) {
  const auto tokens = BearerTokens::Load("--f", Write("old"));
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  Write("new");
  ASSERT_TRUE((*tokens)->Reload().ok());
  EXPECT_FALSE((*tokens)->Check("Bearer old").ok());
  EXPECT_TRUE((*tokens)->Check("Bearer new").ok());
  Write("");
  EXPECT_FALSE((*tokens)->Reload().ok());
  EXPECT_TRUE((*tokens)->Check("Bearer new").ok());
}

}  // namespace
}  // namespace lazynet::security
