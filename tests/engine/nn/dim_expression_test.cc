#include "engine/nn/dim_expression.h"

#include <gtest/gtest.h>

#include <limits>

namespace lazynet::nn {
namespace {

const std::vector<Shape> kInputs{Shape{2, 3, 10, 7}, Shape{5, kUnknownDim}};

// The value, "?" where it is not known, or the error.
std::string ValueOf(std::string_view text) {
  const auto parsed = DimExpression::Parse(text);
  if (!parsed.ok()) return std::string(Message(parsed.status()));
  const auto value = parsed->Evaluate(kInputs);
  if (!value.ok()) return std::string(Message(value.status()));
  return *value ? std::to_string(**value) : "?";
}

TEST(DimExpression, CountsAsPythonDoes) {
  EXPECT_EQ(ValueOf("12"), "12");
  EXPECT_EQ(ValueOf("-1"), "-1");
  EXPECT_EQ(ValueOf("1 + 2 * 3"), "7");
  EXPECT_EQ(ValueOf("(1 + 2) * 3"), "9");
  EXPECT_EQ(ValueOf("10 - 2 - 3"), "5");
  EXPECT_EQ(ValueOf("7 // 2"), "3");
  EXPECT_EQ(ValueOf("-7 // 2"), "-4");
  EXPECT_EQ(ValueOf("7 // -2"), "-4");
  EXPECT_EQ(ValueOf("-7 % 3"), "2");
  EXPECT_EQ(ValueOf("7 % -3"), "-2");
  EXPECT_EQ(ValueOf("-6 // 3"), "-2");
  EXPECT_EQ(ValueOf("--2"), "2");
  EXPECT_EQ(ValueOf("min(3, max(1, 2))"), "2");
}

TEST(DimExpression, ReadsSizesOfInputs) {
  EXPECT_EQ(ValueOf("dim(0)"), "2");
  EXPECT_EQ(ValueOf("dim(-1)"), "7");
  EXPECT_EQ(ValueOf("dim(1, 0)"), "5");
  EXPECT_EQ(ValueOf(" dim( 2 ) // 2 "), "5");
  EXPECT_EQ(ValueOf("dim(1, 1)"), "?");
  EXPECT_EQ(ValueOf("2 * dim(1, -1) + 1"), "?");
}

TEST(DimExpression, NamesWhatIsWrong) {
  EXPECT_EQ(ValueOf("dim(4)"), "\"dim(4)\": wants a dim 4 of input 0, got shape [2, 3, 10, 7]");
  EXPECT_EQ(ValueOf("dim(2, 0)"), "\"dim(2, 0)\": wants an input 2, got 2 inputs");
  EXPECT_EQ(ValueOf("1 // (dim(0) - 2)"), "\"1 // (dim(0) - 2)\": division by 0");
  EXPECT_EQ(ValueOf("1 % 0"), "\"1 % 0\": division by 0");
  EXPECT_EQ(ValueOf("9007199254740992 * 2"), "\"9007199254740992 * 2\": a number beyond 2^53");
  EXPECT_EQ(ValueOf("2 + x"),
            "wants a number up to 2^53, dim(axis), min, max or ( ) at byte 4, got \"x\"");
  EXPECT_EQ(ValueOf("(2"), "wants \")\" at byte 2, got \"\"");
  EXPECT_EQ(ValueOf("2 3"), "wants \",\" at byte 2, got \"3\"");
  EXPECT_EQ(ValueOf(""), "wants 1 number, got 0");
  EXPECT_EQ(ValueOf("1, 2"), "wants 1 number, got 2");
  EXPECT_EQ(ValueOf("1,"),
            "wants a number up to 2^53, dim(axis), min, max or ( ) at byte 2, got \"\"");
  EXPECT_EQ(ValueOf("99999999999999999999"),
            "wants a number up to 2^53, dim(axis), min, max or ( ) at byte 0, got "
            "\"99999999999999999999\"");
}

TEST(DimExpression, RefusesWhatCostsTooMuch) {
  EXPECT_NE(ValueOf(std::string(100, '(') + "1" + std::string(100, ')')).find("at most 64 nested"),
            std::string::npos);
  EXPECT_NE(ValueOf(std::string(100, '-') + "1").find("at most 64 nested"), std::string::npos);
  EXPECT_EQ(ValueOf(std::string(5000, '1')), "wants at most 4096 bytes, got 5000");
}

TEST(DimExpression, ListsHaveCommasBetween) {
  const auto list = DimExpression::ParseList("dim(0), max(1, 2), -1");
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[1].text(), "max(1, 2)");
  EXPECT_EQ((*list)[0].last_input(), 0);
  EXPECT_EQ((*list)[0].constant(), std::nullopt);
  EXPECT_EQ((*list)[1].constant(), 2);
  EXPECT_EQ((*list)[2].constant(), -1);
  EXPECT_EQ((*list)[2].last_input(), -1);
  EXPECT_EQ(DimExpression::ParseList(" ")->size(), 0u);
}

}  // namespace
}  // namespace lazynet::nn
