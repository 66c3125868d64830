#include "engine/checkpoint/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <numeric>
#include <vector>

#include "tests/engine/checkpoint/support.h"

namespace lazynet::checkpoint {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kHeader = R"({"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})";
const std::string kData = Bytes<float>({1, -2, 0.5f, 4});

std::string Refusal(std::string_view bytes) {
  const absl::Status status = Parse(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(Message(status));
}

// The refusal of a file with one tensor of these JSON texts and 16 bytes of data.
std::string TensorRefusal(std::string_view dtype, std::string_view shape,
                          std::string_view offsets) {
  return Refusal(File(
      fmt::format(R"({{"w":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape, offsets),
      kData));
}

// Of the processor, so that a busy machine does not matter.
double SecondsToRefuse(const std::string& file, std::string_view why) {
  const std::clock_t start = std::clock();
  const auto parsed = ParseSafetensors(std::as_bytes(std::span(file)), nullptr);
  const std::clock_t taken = std::clock() - start;
  EXPECT_THAT(parsed.status().message(), HasSubstr(std::string(why)));
  return static_cast<double>(taken) / CLOCKS_PER_SEC;
}

TEST(Safetensors, SaysWhereWhatItWantedAndWhatCame) {
  EXPECT_EQ(TensorRefusal("\"F8_E4M3\"", "[2,2]", "[0,16]"),
            "tensor \"w\": wants a dtype of BOOL, U8, I8, U16, I16, U32, I32, U64, I64, F16, BF16, "
            "F32, F64; got \"F8_E4M3\"");
  EXPECT_EQ(TensorRefusal("7", "[2,2]", "[0,16]"), "tensor \"w\": dtype wants a string, got 7");
  EXPECT_EQ(TensorRefusal("\"F32\"", "4", "[0,16]"), "tensor \"w\": shape wants an array, got 4");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2,-2]", "[0,16]"),
            "tensor \"w\": shape wants whole numbers from 0 to 2147483647, got -2");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2,2.0]", "[0,16]"),
            "tensor \"w\": shape wants whole numbers from 0 to 2147483647, got 2.0");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2,4294967296]", "[0,16]"),
            "tensor \"w\": shape wants whole numbers from 0 to 2147483647, got 4294967296");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]"),
            "tensor \"w\": shape wants a rank of at most 12, got more");
  EXPECT_THAT(TensorRefusal("\"F32\"", "[2147483647,2147483647,0]", "[0,0]"),
              HasSubstr("tensor \"w\": shape: wants at most"));
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2,2]", "[0,12]"),
            "tensor \"w\": F32 [2, 2] wants 16 bytes, got data_offsets [0, 12]");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2,2]", "[4,20]"),
            "tensor \"w\": data_offsets wants an end within the data's 16 bytes, got [4, 20]");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2,2]", "[16,0]"),
            "tensor \"w\": data_offsets wants begin <= end, got [16, 0]");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2,2]", "[16]"),
            "tensor \"w\": data_offsets wants [begin, end], got 1 numbers");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2]", "[0,8]"),
            "data wants the 8 bytes that the tensors cover, got 16");
  EXPECT_EQ(TensorRefusal("\"F32\"", "[2]", "[8,16]"),
            "tensor \"w\": data_offsets [8, 16] leave a hole, wants a begin of 0");
  EXPECT_EQ(Refusal(File(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)"
                         R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                         kData)),
            "tensor \"b\": data_offsets [4, 8] overlap another tensor, wants a begin of 8");
  EXPECT_EQ(Refusal(File(R"({"w":{"dtype":"F32","shape":[4]}})", kData)),
            "tensor \"w\": wants a field data_offsets, got none");
  EXPECT_EQ(Refusal(File(R"({"__metadata__":{"epoch":3}})")),
            "__metadata__ \"epoch\": wants a string, got 3");
  EXPECT_EQ(Refusal(File(R"({"w":[]})")), "tensor \"w\": wants an object, got an array");
  EXPECT_EQ(Refusal(File(R"({"w")")),
            "header wants JSON: parse error at line 1, column 5: syntax error while parsing object "
            "separator - unexpected end of input; expected ':'");
  EXPECT_EQ(Refusal("<!DOCTYPE html>"),
            "wants a header of at most 100000000 bytes, got a length of 5789751444030890300 (the "
            "bytes \"<!DOCTYP\")");
  EXPECT_EQ(Refusal(File("[]")), "header wants to begin with '{', got \"[]\"");
}

TEST(Safetensors, KeepsMessagesShortAndPrintable) {
  const std::string long_text(1'000'000, 'x');
  for (const std::string& file :
       {File("{\"" + long_text + "\":null}"), File("{\"" + long_text), File("{" + long_text),
        File("{\"w\":{\"dtype\":\"" + long_text + "\"}}"),
        File("{\"w\":{\"" + long_text + "\":1}}"),
        File(std::string("{\"w\":") + std::string(1'000'000, '1') + "}"),
        File(std::string("{\"w\":{\"shape\":[") + std::string(1'000'000, '1') + "]}}"),
        File("{\"a\\n\\u0000\\u001b\":null}"), File("{\"\xff\":null}"), File("{\xff"),
        std::string("\x80\x02\0\xff\xff\xff\xff\xff", 8)}) {
    const std::string message = Refusal(file);
    EXPECT_LT(message.size(), 500u);
    EXPECT_TRUE(std::none_of(message.begin(), message.end(), [](char c) {
      return c >= 0 && c < ' ';
    })) << message;
  }
}

TEST(Safetensors, GivesTensorsInTheOrderOfTheirNames) {
  const auto file = Parse(File(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                               R"("__metadata__":{"format":"pt"},)"
                               R"("c":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},)"
                               R"("a.b":{"data_offsets":[1,2],"shape":[1],"dtype":"U8"}})",
                               "\1\2\3"));
  ASSERT_TRUE(file.ok()) << file.status();
  std::vector<std::string> names;
  for (const NamedTensor& entry : (*file)->tensors()) names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("a.b", "b", "c"));
  EXPECT_THAT((*file)->Find("a.b")->values<uint8_t>(), ElementsAre(2));
  EXPECT_THAT((*file)->Find("c")->values<uint8_t>(), ElementsAre(3));
  EXPECT_EQ((*file)->Find("a"), nullptr);
  EXPECT_EQ((*file)->Find("d"), nullptr);
  EXPECT_EQ((*file)->Find("__metadata__"), nullptr);
  EXPECT_THAT((*file)->metadata(), ElementsAre(testing::Pair("format", "pt")));
}

// PyTorch writes the first; others write a vector, a type that their device has, or cast all alike.
TEST(Safetensors, GivesTheCountersOfBatchNormAsTheyAreWritten) {
  struct Form {
    std::string_view dtype;
    std::string_view shape;
    std::string bytes;
    DType read_dtype;
    Shape read_shape;
  };
  for (const Form& form : {
           Form{"I64", "[]", Bytes<int64_t>({1500}), DType::kInt64, Shape{}},
           Form{"I64", "[1]", Bytes<int64_t>({1500}), DType::kInt64, Shape{1}},
           Form{"I32", "[1]", Bytes<int32_t>({1500}), DType::kInt32, Shape{1}},
           Form{"F32", "[]", Bytes<float>({1500}), DType::kFp32, Shape{}},
       }) {
    const auto file = Parse(File(
        fmt::format(
            R"({{"bn.num_batches_tracked":{{"dtype":"{}","shape":{},"data_offsets":[0,{}]}}}})",
            form.dtype, form.shape, form.bytes.size()),
        form.bytes));
    ASSERT_TRUE(file.ok()) << file.status();
    const Tensor* counter = (*file)->Find("bn.num_batches_tracked");
    ASSERT_NE(counter, nullptr);
    EXPECT_EQ(counter->dtype(), form.read_dtype);
    EXPECT_EQ(counter->shape(), form.read_shape);
    EXPECT_EQ(BytesOf(*counter), form.bytes);
  }
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string file = File(kHeader, kData);
  ASSERT_TRUE(Parse(file).ok());
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_THAT(Refusal(std::string_view(file).substr(0, size)), Not(IsEmpty())) << size;
  }
}

TEST(Safetensors, SurvivesEveryFlippedByte) {
  const std::string original =
      File(R"({"__metadata__":{"a":"b"},"t":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},)"
           R"("w":{"dtype":"F16","shape":[2,1],"data_offsets":[1,5]}} )",
           std::string(5, '\1'));
  ASSERT_TRUE(Parse(original).ok());
  for (size_t i = 0; i < original.size(); ++i) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string bytes = original;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      const auto file = Parse(bytes);
      if (!file.ok()) {
        EXPECT_THAT(file.status().message(), Not(IsEmpty()));
        continue;
      }
      for (const NamedTensor& entry : (*file)->tensors()) {
        EXPECT_EQ(BytesOf(entry.tensor).size(), entry.tensor.bytes());
      }
    }
  }
}

TEST(Safetensors, ViewsAlignedDataAndCopiesOther) {
  // The header has 57 bytes, so that the data begins at byte 65.
  ASSERT_EQ(kHeader.size(), 57u);
  for (size_t shift = 0; shift < 8; ++shift) {
    const Memory memory(File(kHeader, kData), shift);
    const auto file = ParseSafetensors(memory.bytes(), memory.owner());
    ASSERT_TRUE(file.ok()) << file.status();
    const Tensor* tensor = (*file)->Find("w");
    ASSERT_NE(tensor, nullptr);
    EXPECT_TRUE(IsAligned(*tensor));
    EXPECT_EQ(tensor->data() == memory.bytes().data() + 65, (65 + shift) % 4 == 0) << shift;
    EXPECT_THAT(tensor->values<float>(), ElementsAre(1, -2, 0.5f, 4));
  }
}

TEST(Safetensors, CopiesOnlyTheTensorsThatAreUnaligned) {
  std::string header(R"({"u":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},)"
                     R"("d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                     R"("w":{"dtype":"F32","shape":[1],"data_offsets":[11,15]}})");
  while (header.size() % 8 != 0) header += ' ';
  const Memory memory(File(header, Bytes<double>({0.1}) + "\1\2\3" + Bytes<float>({7})));
  const auto file = ParseSafetensors(memory.bytes(), memory.owner());
  ASSERT_TRUE(file.ok()) << file.status();
  const std::byte* data = memory.bytes().data() + 8 + header.size();
  EXPECT_EQ((*file)->Find("d")->data(), data);
  EXPECT_EQ((*file)->Find("u")->data(), data + 8);
  EXPECT_NE((*file)->Find("w")->data(), data + 11);
  EXPECT_THAT((*file)->Find("w")->values<float>(), ElementsAre(7));
}

TEST(Safetensors, TensorsKeepTheBytesAlive) {
  auto memory = std::make_unique<Memory>(File(std::string(kHeader) + "   ", kData), 4);
  const std::weak_ptr<const void> owner = memory->owner();
  auto file = ParseSafetensors(memory->bytes(), memory->owner());
  ASSERT_TRUE(file.ok()) << file.status();
  memory.reset();
  {
    const Tensor tensor = *(*file)->Find("w");
    file->reset();
    EXPECT_FALSE(owner.expired());
    EXPECT_THAT(tensor.values<float>(), ElementsAre(1, -2, 0.5f, 4));
  }
  EXPECT_TRUE(owner.expired());
}

// The header's JSON of `count` tensors, one like the other but for their names.
std::string ManyTensors(int count, std::string_view tensor) {
  std::string header = "{";
  for (int i = 0; i < count; ++i) {
    fmt::format_to(std::back_inserter(header), "{}\"{}\":{}", i == 0 ? "" : ",", i, tensor);
  }
  return header + "}";
}

// Seconds that only quadratic time exceeds, sanitizers allowed for, and seconds without parsing.
constexpr double kSoon = 60;
constexpr double kAtOnce = 3;

TEST(Safetensors, RefusesAMillionTensorsOnTheSameBytesSoon) {
  const std::string header =
      ManyTensors(1'000'000, R"({"dtype":"F32","shape":[2,2],"data_offsets":[0,16]})");
  // The second tensor already cannot be, unless the data is as long as all of them.
  EXPECT_LT(
      SecondsToRefuse(File(header, kData),
                      "tensor \"1\": wants no overlap, but the tensors up to it have 32 bytes "
                      "and the data has 16"),
      kAtOnce);
  EXPECT_LT(SecondsToRefuse(File(header, std::string(16'000'000, 'x')), "overlap another tensor"),
            kSoon);
}

TEST(Safetensors, ReadsManyEmptyTensorsAndLimitsTheirNumber) {
  constexpr std::string_view kTensor = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  const auto file = Parse(File(ManyTensors(100'000, kTensor)));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->tensors().size(), 100'000u);
  EXPECT_LT(SecondsToRefuse(File(ManyTensors((1 << 20) + 1, kTensor)),
                            "header wants at most 1048576 tensors, got more"),
            kSoon);
}

TEST(Safetensors, LimitsTheMetadata) {
  std::string header = R"({"__metadata__":{"")";
  header += R"(:"")";
  for (int i = 1; i < (1 << 16); ++i) header += fmt::format(R"(,"{}":"")", i);
  EXPECT_TRUE(Parse(File(header + "}}")).ok());
  EXPECT_EQ(Refusal(File(header + R"(,"x":""}})")),
            "__metadata__: wants at most 65536 entries, got more");
}

TEST(Safetensors, TakesTheLongestHeaderAndNoLonger) {
  std::string header(kHeader);
  header.resize(100'000'000, ' ');
  {
    const std::string file = File(header, kData);
    const auto parsed = ParseSafetensors(std::as_bytes(std::span(file)), nullptr);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_THAT((*parsed)->Find("w")->values<float>(), ElementsAre(1, -2, 0.5f, 4));
  }
  header += ' ';
  EXPECT_LT(SecondsToRefuse(File(header, kData), "at most 100000000 bytes"), kAtOnce);
}

TEST(Safetensors, RefusesLongRubbishSoon) {
  EXPECT_LT(SecondsToRefuse(File(std::string(99'000'000, ' ')), "wants to begin with '{'"), kSoon);
  EXPECT_LT(SecondsToRefuse(File(std::string("{") + std::string(20'000'000, ' ')), "wants JSON"),
            kSoon);
  EXPECT_LT(SecondsToRefuse(File(std::string("{\"") + std::string(20'000'000, 'a')), "wants JSON"),
            kSoon);
  EXPECT_LT(SecondsToRefuse(File(std::string("{\"a\":") + std::string(20'000'000, '[')),
                            "wants an object"),
            kSoon);
}

TEST(Safetensors, RefusesNestingWhereverItIs) {
  EXPECT_THAT(Refusal(File(R"({"w":{"dtype":{}}})")), HasSubstr("got an object"));
  EXPECT_THAT(Refusal(File(R"({"w":{"shape":{}}})")), HasSubstr("got an object"));
  EXPECT_THAT(Refusal(File(R"({"w":{"shape":[[]]}})")), HasSubstr("got an array"));
  EXPECT_THAT(Refusal(File(R"({"w":{"data_offsets":[0,{}]}})")), HasSubstr("got an object"));
  EXPECT_THAT(Refusal(File(R"({"w":{"w":{}}})")), HasSubstr("got \"w\""));
  EXPECT_THAT(Refusal(File(R"({"__metadata__":[]})")), HasSubstr("got an array"));
  EXPECT_THAT(Refusal(File(R"({"__metadata__":{"a":[]}})")), HasSubstr("got an array"));
}

TEST(Safetensors, SeesNamesThatOnlyDifferInTheirSpelling) {
  const auto twice = [](std::string_view first, std::string_view second) {
    constexpr std::string_view kEmpty = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    return Refusal(File(fmt::format("{{{}:{},{}:{}}}", first, kEmpty, second, kEmpty)));
  };
  EXPECT_EQ(twice(R"("w")", R"("\u0077")"), R"(tensor "w": wants a name once, got it twice)");
  EXPECT_EQ(twice(R"("\ud83d\ude00")", "\"\U0001F600\""),
            "tensor \"\U0001F600\": wants a name once, got it twice");
  EXPECT_EQ(Refusal(File(R"({"__metadata_\u005f":{"dtype":"U8","shape":[0]}})")),
            R"(__metadata__ "shape": wants a string, got an array)");
}

class SafetensorsFileTest : public FolderTest {
 protected:
  void SetUp() override {
    path_ = folder_ / "weights.safetensors";
    std::string header(kHeader);
    while (header.size() % 8 != 0) header += ' ';
    WriteFile(path_, File(header, kData));
  }

  std::filesystem::path path_;
};

TEST_F(SafetensorsFileTest, TensorsOutliveTheFileObjectAndTheFile) {
  Tensor tensor;
  {
    const auto file = SafetensorsFile::Open(path_);
    ASSERT_TRUE(file.ok()) << file.status();
    tensor = *(*file)->Find("w");
  }
  WriteFile(folder_ / "other", "other");
  std::filesystem::rename(folder_ / "other", path_);
  EXPECT_THAT(tensor.values<float>(), ElementsAre(1, -2, 0.5f, 4));
  std::filesystem::remove(path_);
  EXPECT_THAT(tensor.values<float>(), ElementsAre(1, -2, 0.5f, 4));
}

// How much of the mapping around `data` is in memory, as the system has it.
size_t ResidentKilobytes(const std::byte* data) {
  const auto address = reinterpret_cast<uintptr_t>(data);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0, end = 0;
    size_t kilobytes = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = begin <= address && address < end;
    } else if (inside && std::sscanf(line.c_str(), "Rss: %zu kB", &kilobytes) == 1) {
      return kilobytes;
    }
  }
  ADD_FAILURE() << "no mapping holds the tensor";
  return 0;
}

TEST_F(SafetensorsFileTest, ATensorGivesItsPagesBackAndReadsThemAgain) {
  constexpr size_t kElements = 1 << 18;
  std::string header =
      fmt::format(R"({{"w":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{}]}}}})", kElements,
                  kElements * sizeof(float));
  while (header.size() % 8 != 0) header += ' ';
  std::vector<float> values(kElements);
  std::iota(values.begin(), values.end(), 0.0f);
  WriteFile(path_, File(header, {reinterpret_cast<const char*>(values.data()),
                                 values.size() * sizeof(float)}));
  const auto file = SafetensorsFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  const Tensor tensor = *(*file)->Find("w");
  EXPECT_TRUE(std::ranges::equal(tensor.values<float>(), values));
  EXPECT_GE(ResidentKilobytes(tensor.data()), 1024u);
  tensor.ReleasePages();
  EXPECT_LE(ResidentKilobytes(tensor.data()), 4u);
  EXPECT_TRUE(std::ranges::equal(tensor.values<float>(), values));
}

TEST_F(SafetensorsFileTest, NamesNoPathInErrors) {
  const absl::Status missing = SafetensorsFile::Open(folder_ / "no-such").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), AllOf(Not(IsEmpty()), Not(HasSubstr("no-such"))));
  const absl::Status folder = SafetensorsFile::Open(folder_).status();
  EXPECT_EQ(folder.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(folder.message(), HasSubstr("regular file"));
  WriteFile(path_, "");
  const absl::Status empty = SafetensorsFile::Open(path_).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(empty), "wants a header length of 8 bytes, got 0 bytes in all");
}

}  // namespace
}  // namespace lazynet::checkpoint
