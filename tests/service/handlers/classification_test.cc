#include "service/handlers/classification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

namespace lazynet::handlers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The texts of a payload.
std::vector<std::string> Texts(const Tensor& payload) {
  std::vector<std::string> texts;
  const std::byte* at = payload.data();
  const std::byte* const end = at + payload.bytes();
  while (at < end) {
    uint32_t length = 0;
    std::memcpy(&length, at, sizeof(length));
    at += sizeof(length);
    texts.emplace_back(reinterpret_cast<const char*>(at), length);
    at += length;
  }
  EXPECT_EQ(at, end);
  return texts;
}

template <typename T>
TensorView ViewOf(DType dtype, const Shape& shape, const std::vector<T>& values) {
  return {dtype, shape, reinterpret_cast<const std::byte*>(values.data())};
}

template <typename T>
std::vector<std::string> Top(DType dtype, const Shape& shape, const std::vector<T>& values,
                             int64_t classes, std::vector<std::string> labels = {}) {
  const auto classified = Classify(ViewOf(dtype, shape, values), classes, labels);
  EXPECT_TRUE(classified.ok()) << classified.status();
  return classified.ok() ? Texts(classified->payload) : std::vector<std::string>();
}

TEST(Classification, IsOfEachItemOfTheBatch) {
  const std::vector<float> values = {0.25f, 3, -1, 7, 7, 0};
  const auto classified = Classify(ViewOf(DType::kFp32, {2, 3}, values), 2, {});
  ASSERT_TRUE(classified.ok());
  EXPECT_EQ(classified->shape, (Shape{2, 2}));
  EXPECT_THAT(Texts(classified->payload),
              ElementsAre("3.000000:1", "0.250000:0", "7.000000:0", "7.000000:1"));
  // All other axes are the classes.
  EXPECT_EQ(Classify(ViewOf(DType::kFp32, {1, 2, 3}, values), 9, {})->shape, (Shape{1, 6}));
  EXPECT_THAT(Top(DType::kFp32, {1, 2, 3}, values, 1), ElementsAre("7.000000:3"));
}

TEST(Classification, OfAnOutputWithoutABatchIsOfOneItem) {
  const std::vector<float> values = {1, 2};
  EXPECT_EQ(Classify(ViewOf(DType::kFp32, {2}, values), 5, {})->shape, (Shape{2}));
  EXPECT_THAT(Top(DType::kFp32, {2}, values, 5), ElementsAre("2.000000:1", "1.000000:0"));
  EXPECT_THAT(Top(DType::kFp32, Shape{}, values, 5), ElementsAre("1.000000:0"));
}

TEST(Classification, NamesClassesThatHaveLabels) {
  EXPECT_THAT(Top<float>(DType::kFp32, {4}, {4, 3, 2, 1}, 4, {"tabby: cat", "", "dog"}),
              ElementsAre("4.000000:0:tabby: cat", "3.000000:1", "2.000000:2:dog", "1.000000:3"));
}

TEST(Classification, WritesNumbersOfEveryType) {
  EXPECT_THAT(Top<double>(DType::kFp64, {2}, {1e300, 0.1}, 1)[0].size(), 301u + 7 + 2);
  EXPECT_THAT(Top<double>(DType::kFp64, {1}, {-0.1}, 1), ElementsAre("-0.100000:0"));
  EXPECT_THAT(Top<uint16_t>(DType::kFp16, {2}, {0xc000, 0x3c00}, 2),
              ElementsAre("1.000000:1", "-2.000000:0"));
  EXPECT_THAT(Top<uint16_t>(DType::kBf16, {2}, {0xc000, 0x3f80}, 2),
              ElementsAre("1.000000:1", "-2.000000:0"));
  EXPECT_THAT(Top<int8_t>(DType::kInt8, {2}, {-128, 127}, 2), ElementsAre("127:1", "-128:0"));
  EXPECT_THAT(Top<uint8_t>(DType::kUint8, {2}, {65, 200}, 2), ElementsAre("200:1", "65:0"));
  EXPECT_THAT(Top<int16_t>(DType::kInt16, {1}, {-300}, 1), ElementsAre("-300:0"));
  EXPECT_THAT(Top<uint16_t>(DType::kUint16, {1}, {65535}, 1), ElementsAre("65535:0"));
  EXPECT_THAT(Top<int32_t>(DType::kInt32, {1}, {-70000}, 1), ElementsAre("-70000:0"));
  EXPECT_THAT(Top<uint32_t>(DType::kUint32, {1}, {4000000000}, 1), ElementsAre("4000000000:0"));
  // Neighbours that no double tells apart.
  EXPECT_THAT(Top<int64_t>(DType::kInt64, {2}, {9007199254740992, 9007199254740993}, 1),
              ElementsAre("9007199254740993:1"));
  EXPECT_THAT(Top<uint64_t>(DType::kUint64, {1}, {18446744073709551615u}, 1),
              ElementsAre("18446744073709551615:0"));
}

TEST(Classification, PutsNanLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Top<float>(DType::kFp32, {5}, {nan, -infinity, nan, infinity, 0}, 5),
              ElementsAre("inf:3", "0.000000:4", "-inf:1", "nan:0", "nan:2"));
}

TEST(Classification, OfNothingIsEmpty) {
  const auto no_items = Classify(ViewOf<float>(DType::kFp32, {0, 3}, {}), 2, {});
  ASSERT_TRUE(no_items.ok());
  EXPECT_EQ(no_items->shape, (Shape{0, 0}));
  EXPECT_THAT(Texts(no_items->payload), IsEmpty());
  EXPECT_EQ(Classify(ViewOf<float>(DType::kFp32, {3, 0}, {}), 2, {})->shape, (Shape{3, 0}));
}

TEST(Classification, RefusesWhatHasNoScoresOrTooMany) {
  const std::vector<uint8_t> bytes(1025 * 1024);
  EXPECT_EQ(Message(Classify(ViewOf(DType::kBool, {2}, bytes), 1, {}).status()),
            "classification wants an output of numbers, got BOOL");
  EXPECT_TRUE(Classify(ViewOf(DType::kUint8, {1024, 1024}, bytes), 1024, {}).ok());
  EXPECT_EQ(Message(Classify(ViewOf(DType::kUint8, {1024, 1025}, bytes), 1025, {}).status()),
            "classification wants at most 1048576 texts in all, got 1025 for each of 1024 items");
}

TEST(Classification, IsAskedForByANumber) {
  inference::ModelInferRequest::InferRequestedOutputTensor output;
  output.set_name("y");
  EXPECT_EQ(*ReadClassification(output), 0);
  auto& parameter = (*output.mutable_parameters())["classification"];
  parameter.set_int64_param(5);
  EXPECT_EQ(*ReadClassification(output), 5);
  parameter.set_int64_param(0);
  EXPECT_EQ(Message(ReadClassification(output).status()),
            "output \"y\": classification wants at least 1, got 0");
  parameter.set_string_param("5");
  EXPECT_EQ(Message(ReadClassification(output).status()),
            "output \"y\": classification wants int64_param");
}

}  // namespace
}  // namespace lazynet::handlers
