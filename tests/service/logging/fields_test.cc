#include "service/logging/fields.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lazynet::logging {
namespace {

TEST(Fields, AreWordsAndStringsInText) {
  Fields fields;
  fields.Add("model", "mnist-8").Add("queue_us", int64_t{12}).Add("error", "wants 3, got 4");
  fields.Add("id", "").Add("pair", "a=b").Add("quoted", "say \"no\"");
  EXPECT_EQ(fields.AsText(), R"( model=mnist-8 queue_us=12 error="wants 3, got 4" id="" pair="a=b")"
                             R"( quoted="say \"no\"")");
}

TEST(Fields, AreMembersInJson) {
  Fields fields;
  fields.Add("model", "mnist-8").Add("queue_us", int64_t{-12}).Add("error", "a\nb");
  EXPECT_EQ(fields.AsJson(), R"(,"model":"mnist-8","queue_us":-12,"error":"a\nb")");
}

// What a client sends can be no line of its own, nor a field.
TEST(Fields, KeepForeignTextInItsPlace) {
  const std::string hostile = "x\n2026-01-01 info fine a=b\x1b[2J\x7f\xff\xfe";
  Fields fields;
  fields.Add("id", hostile);
  const std::string text = fields.AsText();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_TRUE(text.starts_with(" id=\"")) << text;
  std::string members = fields.AsJson();
  members.front() = '{';
  const auto json = nlohmann::json::parse(members.append("}"));
  EXPECT_TRUE(json["id"].get<std::string>().starts_with("x\n2026-01-01 info fine a=b"));
  EXPECT_EQ(json.size(), 1u);
}

TEST(Fields, AreCut) {
  Fields fields;
  fields.Add("id", std::string(Fields::kMostBytes + 1, 'a'));
  EXPECT_EQ(fields.AsText(), " id=" + std::string(Fields::kMostBytes, 'a') + "...");
  Fields whole;
  whole.Add("id", std::string(Fields::kMostBytes, 'a'));
  EXPECT_EQ(whole.AsText(), " id=" + std::string(Fields::kMostBytes, 'a'));
}

}  // namespace
}  // namespace lazynet::logging
