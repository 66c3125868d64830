#include "engine/checkpoint/safetensors_index.h"

#include <sys/stat.h>

#include <algorithm>

#include "tests/engine/checkpoint/support.h"

namespace lazynet::checkpoint {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kGood = R"({"metadata":{"total_size":20,"format":"pt"},"weight_map":
    {"b":"2.safetensors","a":"1.safetensors","c":"1.safetensors"}})";

class SafetensorsIndexTest : public FolderTest {
 protected:
  // Two files: one with a [2] and c [1], one with b [2], all F32.
  void SetUp() override {
    WriteFile(folder_ / "1.safetensors",
              File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                   R"("c":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})"
                   "  ",
                   Bytes<float>({1, 2, 3})));
    WriteFile(
        folder_ / "2.safetensors",
        File(R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", Bytes<float>({4, 5})));
  }

  absl::StatusOr<std::vector<NamedTensor>> Read(std::string_view index) const {
    WriteFile(folder_ / "model.safetensors.index.json", index);
    return ReadShardedSafetensors(folder_ / "model.safetensors.index.json");
  }

  std::string Refusal(std::string_view index) const {
    const absl::Status status = Read(index).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(status.message(), Not(HasSubstr(folder_.string())));
    return std::string(Message(status));
  }

  std::string MapRefusal(std::string_view map) const {
    return Refusal(fmt::format(R"({{"weight_map":{}}})", map));
  }
};

TEST_F(SafetensorsIndexTest, GivesAllTensorsInTheOrderOfTheirNames) {
  const auto tensors = Read(kGood);
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  ASSERT_EQ(tensors->size(), 3u);
  EXPECT_EQ((*tensors)[0].name, "a");
  EXPECT_THAT((*tensors)[0].tensor.values<float>(), ElementsAre(1, 2));
  EXPECT_EQ((*tensors)[1].name, "b");
  EXPECT_THAT((*tensors)[1].tensor.values<float>(), ElementsAre(4, 5));
  EXPECT_EQ((*tensors)[2].name, "c");
  EXPECT_THAT((*tensors)[2].tensor.values<float>(), ElementsAre(3));
}

TEST_F(SafetensorsIndexTest, TensorsOutliveTheirFiles) {
  const auto tensors = Read(kGood);
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  for (const std::string& name : FileNames()) std::filesystem::remove(folder_ / name);
  EXPECT_THAT((*tensors)[0].tensor.values<float>(), ElementsAre(1, 2));
  EXPECT_THAT((*tensors)[1].tensor.values<float>(), ElementsAre(4, 5));
}

TEST_F(SafetensorsIndexTest, FindsTheFilesOfAnIndexInTheWorkingFolder) {
  WriteFile(folder_ / "i.json", kGood);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  const auto tensors = ReadShardedSafetensors("i.json");
  std::filesystem::current_path(before);
  EXPECT_TRUE(tensors.ok()) << tensors.status();
}

TEST_F(SafetensorsIndexTest, TakesAnyScalarsAsMetadataAndNone) {
  EXPECT_TRUE(Read(R"({"weight_map":{}})").ok());
  EXPECT_TRUE(Read(R"({"metadata":{},"weight_map":{}})").ok());
  EXPECT_TRUE(Read(R"({"weight_map":{},"metadata":{"a":-1,"b":1e9,"c":true,"d":null,"e":"x"}} )"
                   "\n")
                  .ok());
}

TEST_F(SafetensorsIndexTest, RefusesFilesThatAreNoIndex) {
  EXPECT_EQ(Refusal(""), "wants to begin with '{', got \"\"");
  EXPECT_EQ(Refusal("[]"), "wants to begin with '{', got \"[]\"");
  EXPECT_EQ(Refusal(" {}"), "wants to begin with '{', got \" {}\"");
  EXPECT_THAT(Refusal("\xEF\xBB\xBF{}"), HasSubstr("wants to begin with '{'"));
  EXPECT_EQ(Refusal("{}"), "wants a field weight_map, got none");
  EXPECT_EQ(Refusal(R"({"metadata":{}})"), "wants a field weight_map, got none");
  EXPECT_THAT(Refusal(R"({"weight_map":{}} x)"), HasSubstr("wants JSON: parse error"));
  EXPECT_THAT(Refusal(R"({"weight_map":{},})"), HasSubstr("wants JSON: parse error"));
  EXPECT_THAT(Refusal("{\"weight_map\":{\"\xff\":\"1.safetensors\"}}"),
              HasSubstr("wants JSON: parse error"));
  EXPECT_EQ(Refusal(std::string_view("{\"weight_map\":{}}\0x", 18)),
            "wants JSON, got a NUL byte at 17");
  EXPECT_EQ(Refusal(R"({"weight_map":{},"weights":{}})"),
            "wants the fields metadata and weight_map, got \"weights\"");
}

TEST_F(SafetensorsIndexTest, RefusesWhatComesTwice) {
  EXPECT_EQ(Refusal(R"({"weight_map":{},"weight_map":{}})"), "wants weight_map once, got it twice");
  EXPECT_EQ(Refusal(R"({"metadata":{},"metadata":{},"weight_map":{}})"),
            "wants metadata once, got it twice");
  EXPECT_EQ(Refusal(R"({"metadata":{"a":1,"a":1},"weight_map":{}})"),
            "metadata \"a\": wants a key once, got it twice");
  EXPECT_EQ(MapRefusal(R"({"a":"1.safetensors","\u0061":"1.safetensors"})"),
            "tensor \"a\": wants a name once, got it twice");
}

TEST_F(SafetensorsIndexTest, RefusesOtherValues) {
  EXPECT_EQ(MapRefusal("[]"), "weight_map wants an object, got an array");
  EXPECT_EQ(MapRefusal("7"), "weight_map wants an object, got 7");
  EXPECT_EQ(MapRefusal(R"({"a":7})"), "tensor \"a\": wants a file name, got 7");
  EXPECT_EQ(MapRefusal(R"({"a":["1.safetensors"]})"),
            "tensor \"a\": wants a file name, got an array");
  EXPECT_EQ(MapRefusal(R"({"a":{}})"), "tensor \"a\": wants a file name, got an object");
  EXPECT_EQ(Refusal(R"({"metadata":1,"weight_map":{}})"), "metadata wants an object, got 1");
  EXPECT_EQ(Refusal(R"({"metadata":{"a":{}},"weight_map":{}})"),
            "metadata \"a\": wants a text, a number, true, false or null, got an object");
}

TEST_F(SafetensorsIndexTest, RefusesNamesThatAreNotPlain) {
  for (const std::string_view name :
       {"", ".", "..", "../1.safetensors", "/1.safetensors", "./1.safetensors", "a/1.safetensors",
        R"(a\\1.safetensors)", R"(1.safetensors\u0000)", R"(1\n)"}) {
    EXPECT_THAT(MapRefusal(fmt::format(R"({{"a":"{}"}})", name)),
                HasSubstr("tensor \"a\": wants the name of a file in the index's folder, got"));
  }
  EXPECT_THAT(MapRefusal(fmt::format(R"({{"a":"{}"}})", std::string(256, 'x'))),
              HasSubstr("wants the name of a file in the index's folder"));
}

TEST_F(SafetensorsIndexTest, RefusesAMapThatTheFilesContradict) {
  EXPECT_EQ(MapRefusal(R"({"a":"1.safetensors"})"),
            "shard \"1.safetensors\": tensor \"c\": wants to be listed in the index, is not");
  EXPECT_EQ(
      MapRefusal(R"({"a":"1.safetensors","c":"2.safetensors","b":"2.safetensors"})"),
      "shard \"1.safetensors\": tensor \"c\": wants to lie in \"2.safetensors\", as the index "
      "says, lies here");
  EXPECT_EQ(MapRefusal(R"({"b":"2.safetensors","d":"2.safetensors"})"),
            "shard \"2.safetensors\": wants a tensor \"d\", as the index says, has none");
}

TEST_F(SafetensorsIndexTest, RefusesATensorInTwoFiles) {
  WriteFile(folder_ / "3.safetensors",
            File(R"({"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                 R"("d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"));
  EXPECT_EQ(
      MapRefusal(R"({"b":"2.safetensors","d":"3.safetensors"})"),
      "shard \"3.safetensors\": tensor \"b\": wants to lie in \"2.safetensors\", as the index "
      "says, lies here");
}

TEST_F(SafetensorsIndexTest, NamesTheFileThatIsWrong) {
  const absl::Status missing = Read(R"({"weight_map":{"a":"4.safetensors"}})").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("shard \"4.safetensors\": "));
  EXPECT_EQ(ReadShardedSafetensors(folder_ / "no-such").status().code(),
            absl::StatusCode::kNotFound);
  WriteFile(folder_ / "4.safetensors", "1234");
  EXPECT_EQ(MapRefusal(R"({"a":"4.safetensors"})"),
            "shard \"4.safetensors\": wants a header length of 8 bytes, got 4 bytes in all");
  std::filesystem::create_directory(folder_ / "5.safetensors");
  EXPECT_THAT(MapRefusal(R"({"a":"5.safetensors"})"), HasSubstr("wants a regular file"));
  ASSERT_EQ(mkfifo((folder_ / "6.safetensors").c_str(), 0600), 0);
  EXPECT_THAT(MapRefusal(R"({"a":"6.safetensors"})"), HasSubstr("wants a regular file"));
}

TEST_F(SafetensorsIndexTest, RefusesTooMuch) {
  std::string files = R"({"weight_map":{)";
  for (int i = 0; i <= 4096; ++i) files += fmt::format(R"("{}":"{}",)", i, i);
  EXPECT_EQ(Refusal(files), "weight_map wants at most 4096 files, got more");

  std::string tensors = R"({"weight_map":{)";
  for (int i = 0; i <= 1 << 20; ++i) tensors += fmt::format(R"("{}":"x",)", i);
  EXPECT_EQ(Refusal(tensors), "weight_map wants at most 1048576 tensors, got more");

  std::string metadata = R"({"metadata":{)";
  for (int i = 0; i <= 1 << 16; ++i) metadata += fmt::format(R"("{}":0,)", i);
  EXPECT_EQ(Refusal(metadata), "metadata wants at most 65536 entries, got more");

  std::string spaces(kGood);
  spaces.resize(100'000'001, ' ');
  EXPECT_EQ(Refusal(spaces), "wants at most 100000000 bytes, got 100000001");
  EXPECT_THAT(Refusal(R"({"metadata":)" + std::string(1'000'000, '[')), HasSubstr("got an array"));
}

TEST_F(SafetensorsIndexTest, KeepsMessagesShortAndPrintable) {
  const std::string text(1'000'000, 'x');
  for (const std::string& index :
       {"{\"" + text + "\":1}", "{\"weight_map\":{\"" + text + "\":1}}",
        "{\"weight_map\":{\"a\":\"" + text + "\"}}",
        std::string("{\"weight_map\":{\"a\":\"\\u001b/\"}}"),
        "{\"metadata\":" + std::string(1'000'000, '1') + "}", "{" + text, text}) {
    const std::string message = Refusal(index);
    EXPECT_LT(message.size(), 500u);
    EXPECT_TRUE(std::none_of(message.begin(), message.end(), [](char c) {
      return c >= 0 && c < ' ';
    })) << message;
  }
}

TEST_F(SafetensorsIndexTest, RefusesEveryTruncation) {
  for (size_t size = 0; size < kGood.size(); ++size) {
    EXPECT_THAT(Refusal(kGood.substr(0, size)), Not(IsEmpty())) << size;
  }
}

}  // namespace
}  // namespace lazynet::checkpoint
