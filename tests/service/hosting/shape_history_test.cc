#include "service/hosting/shape_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lazynet::hosting {
namespace {

using ::testing::HasSubstr;
using Entry = ShapeHistory::Entry;

std::vector<Entry> EntriesOf(const ShapeHistory& history) {
  return {history.entries().begin(), history.entries().end()};
}

TEST(ShapeHistory, IsInTheOrderOfUse) {
  ShapeHistory history;
  history.Add({Shape{1, 2}}, 3);
  history.Add({Shape{4, 2}}, 5);
  history.Add({Shape{8, 2}}, 0);
  EXPECT_EQ(EntriesOf(history), (std::vector<Entry>{{{Shape{4, 2}}, 5}, {{Shape{1, 2}}, 3}}));
  history.Add({Shape{1, 2}}, 3);
  EXPECT_EQ(EntriesOf(history), (std::vector<Entry>{{{Shape{1, 2}}, 6}, {{Shape{4, 2}}, 5}}));
}

TEST(ShapeHistory, IsBoundedAndKeepsTheMostUsed) {
  ShapeHistory history;
  history.Add({Shape{1}}, 1000);
  for (int64_t i = 2; i < 1000; ++i) history.Add({Shape{i}}, 1);
  ASSERT_EQ(history.entries().size(), ShapeHistory::kMostShapes);
  EXPECT_EQ(history.entries().front().shapes, std::vector{Shape{1}});
  history.Add({Shape{1}}, UINT64_MAX);
  EXPECT_EQ(history.entries().front().uses, UINT64_MAX);
}

TEST(ShapeHistory, ForgetsWhatIsUsedNoMore) {
  ShapeHistory history;
  history.Add({Shape{1}}, 4);
  history.Add({Shape{2}}, 1);
  history.Age();
  EXPECT_EQ(EntriesOf(history), (std::vector<Entry>{{{Shape{1}}, 2}}));
}

TEST(ShapeHistory, SurvivesAFile) {
  ShapeHistory history;
  history.Add({Shape{1, 2}, Shape{}}, 3);
  history.Add({Shape{4, 2}, Shape{}}, 5);
  const std::string text = history.ToJson("print");
  const auto read = ShapeHistory::FromJson(text, "print");
  ASSERT_TRUE(read.ok() && *read);
  EXPECT_EQ(EntriesOf(**read), EntriesOf(history));
  EXPECT_TRUE((*read)->SameOrder(history));
  const auto other = ShapeHistory::FromJson(text, "other");
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(*other);
}

TEST(ShapeHistory, ReadsAFileAsHostile) {
  const auto error = [](const char* text) {
    return std::string(Message(ShapeHistory::FromJson(text, "p").status()));
  };
  for (const char* text : {"", "{", "[]", "{}", R"({"definition": 3})", R"({"definition": "p"})",
                           R"({"definition": "p", "shapes": [{"uses": 1}]})",
                           R"({"definition": "p", "shapes": [{"uses": 1, "inputs": [["x"]]}]})"}) {
    EXPECT_THAT(error(text), HasSubstr("cannot be read")) << text;
  }
  EXPECT_THAT(error(R"({"definition": "p", "shapes": [{"uses": 1, "inputs": [[-1]]}]})"),
              HasSubstr("-1"));
  std::string many = R"({"definition": "p", "shapes": [0)";
  for (int i = 0; i < 64; ++i) many += ",0";
  EXPECT_EQ(error((many + "]}").c_str()), "wants at most 64 shapes, got 65");
}

}  // namespace
}  // namespace lazynet::hosting
