#include "engine/checkpoint/safetensors_writer.h"

#include <algorithm>

#include "tests/engine/checkpoint/support.h"

namespace lazynet::checkpoint {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
TensorView View(DType dtype, const Shape& shape, const T* data) {
  return {dtype, shape, reinterpret_cast<const std::byte*>(data)};
}

std::vector<NamedTensorView> Views(const SafetensorsFile& file) {
  std::vector<NamedTensorView> views;
  for (const NamedTensor& entry : file.tensors()) {
    views.push_back({entry.name, entry.tensor.view()});
  }
  return views;
}

std::string Refusal(std::span<const NamedTensorView> tensors, const Metadata& metadata = {}) {
  const absl::Status status = SerializeSafetensors(tensors, metadata).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(Message(status));
}

constexpr float kFloats[] = {1, -2, 0.5f, 4};
constexpr int64_t kCount[] = {1500};
constexpr uint8_t kBytes[] = {0, 1, 255};

TEST(SafetensorsWriter, WritesWidestTypesFirstThenByName) {
  const std::vector<NamedTensorView> tensors = {
      {"z", View(DType::kUint8, Shape{3}, kBytes)},
      {"b", View(DType::kFp32, Shape{2}, kFloats)},
      {"a", View(DType::kFp32, Shape{1, 1}, kFloats + 3)},
      {"n", View(DType::kInt64, Shape{}, kCount)},
  };
  const auto written = SerializeSafetensors(tensors, {{"format", "pt"}, {"a\"", "\n\u00fc"}});
  ASSERT_TRUE(written.ok()) << written.status();
  std::string header = R"({"__metadata__":{"a\"":"\n)"
                       "\u00fc"
                       R"(","format":"pt"},)"
                       R"("n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                       R"("a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},)"
                       R"("b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},)"
                       R"("z":{"dtype":"U8","shape":[3],"data_offsets":[20,23]}})";
  while (header.size() % 8 != 0) header += ' ';
  EXPECT_EQ(*written, File(header, Bytes<int64_t>({1500}) + Bytes<float>({4, 1, -2}) +
                                       Bytes<uint8_t>({0, 1, 255})));
}

TEST(SafetensorsWriter, WritesTheSameBytesInWhateverOrderTheTensorsCome) {
  std::vector<NamedTensorView> tensors = {
      {"c", View(DType::kUint8, Shape{3}, kBytes)},
      {"a", View(DType::kFp32, Shape{2}, kFloats)},
      {"b", View(DType::kInt64, Shape{1}, kCount)},
      {"d", View(DType::kFp32, Shape{0}, kFloats)},
  };
  const auto first = SerializeSafetensors(tensors);
  ASSERT_TRUE(first.ok()) << first.status();
  std::reverse(tensors.begin(), tensors.end());
  EXPECT_EQ(*SerializeSafetensors(tensors), *first);
}

TEST(SafetensorsWriter, WritesTheSameBytesAgainAfterReading) {
  const std::vector<NamedTensorView> tensors = {
      {"", View(DType::kFp32, Shape{2, 2}, kFloats)},
      {std::string_view("a\0b", 3), View(DType::kFp32, Shape{}, kFloats)},
      {"\u5c42", View(DType::kBool, Shape{2}, kBytes)},
      {"half", View(DType::kFp16, Shape{2, 2}, kFloats)},
      {"brain", View(DType::kBf16, Shape{2, 2}, kFloats)},
      {"empty", View<float>(DType::kFp64, Shape{3, 0}, nullptr)},
  };
  const auto first = SerializeSafetensors(tensors, {{"k", ""}, {"", "v"}});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto read = Parse(*first);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)->tensors().size(), tensors.size());
  for (const NamedTensorView& entry : tensors) {
    ASSERT_NE((*read)->Find(entry.name), nullptr) << entry.name;
    EXPECT_EQ((*read)->Find(entry.name)->shape(), entry.tensor.shape);
    EXPECT_EQ((*read)->Find(entry.name)->dtype(), entry.tensor.dtype);
  }
  const auto second = SerializeSafetensors(Views(**read), (*read)->metadata());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(*second, *first);
}

TEST(SafetensorsWriter, WritesNoTensorsAtAll) {
  const auto written = SerializeSafetensors({});
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(*written, File("{}      "));
  EXPECT_TRUE(Parse(*written).ok());
}

TEST(SafetensorsWriter, RefusesWhatTheReaderWouldRefuse) {
  const TensorView fine = View(DType::kFp32, Shape{2}, kFloats);
  EXPECT_EQ(Refusal(std::vector<NamedTensorView>{{"w", fine}, {"v", fine}, {"w", fine}}),
            R"(tensor "w": wants a name once, got it twice)");
  EXPECT_THAT(Refusal(std::vector<NamedTensorView>{{"__metadata__", fine}}),
              HasSubstr("wants a name"));
  EXPECT_EQ(Refusal(std::vector<NamedTensorView>{{"w\xff", fine}}),
            "tensor \"w\uFFFD\": wants UTF-8");
  EXPECT_THAT(Refusal({}, {{"k", "\xff"}}), HasSubstr("wants UTF-8"));
  EXPECT_THAT(Refusal(std::vector<NamedTensorView>{
                  {"w", View(DType::kFp32, Shape{2, kUnknownDim}, kFloats)}}),
              HasSubstr("wants dims from 0"));
  EXPECT_EQ(
      Refusal(std::vector<NamedTensorView>{{"w", View<float>(DType::kFp32, Shape{}, nullptr)}}),
      R"(tensor "w": wants 4 bytes of data, got none)");
  EXPECT_EQ(Refusal(std::vector<NamedTensorView>{{"w", View(DType::kBool, Shape{3}, kBytes)}}),
            R"(tensor "w": BOOL wants 0 or 1, got 255 at element 2)");
  const std::string long_name(100'000'001, 'n');
  EXPECT_THAT(Refusal(std::vector<NamedTensorView>{{long_name, fine}}),
              HasSubstr("wants a header of at most 100000000 bytes"));
}

class SafetensorsWriterFileTest : public FolderTest {};

TEST_F(SafetensorsWriterFileTest, WritesTheSameIntoAFile) {
  const std::vector<NamedTensorView> tensors = {{"b", View(DType::kFp32, Shape{2}, kFloats)},
                                                {"a", View(DType::kUint8, Shape{3}, kBytes)}};
  const Metadata metadata = {{"format", "pt"}};
  ASSERT_TRUE(WriteSafetensors(folder_ / "w.safetensors", tensors, metadata).ok());
  EXPECT_EQ(ReadFile(folder_ / "w.safetensors"), *SerializeSafetensors(tensors, metadata));
  EXPECT_THAT(FileNames(), ElementsAre("w.safetensors"));
}

TEST_F(SafetensorsWriterFileTest, OverwritesTheFileThatItsTensorsAreMappedFrom) {
  const std::filesystem::path path = folder_ / "w.safetensors";
  const std::vector<NamedTensorView> tensors = {{"b", View(DType::kFp32, Shape{2}, kFloats)},
                                                {"a", View(DType::kUint8, Shape{3}, kBytes)}};
  ASSERT_TRUE(WriteSafetensors(path, tensors).ok());
  const std::string before = ReadFile(path);
  const auto file = SafetensorsFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(WriteSafetensors(path, Views(**file)).ok());
  EXPECT_EQ(ReadFile(path), before);
  EXPECT_THAT((*file)->Find("b")->values<float>(), ElementsAre(1, -2));
}

TEST_F(SafetensorsWriterFileTest, ARefusedWriteLeavesTheOldFile) {
  const std::filesystem::path path = folder_ / "w.safetensors";
  WriteFile(path, "old");
  const std::vector<NamedTensorView> tensors = {{"w", View<float>(DType::kFp32, Shape{}, nullptr)}};
  EXPECT_FALSE(WriteSafetensors(path, tensors).ok());
  EXPECT_EQ(ReadFile(path), "old");
  EXPECT_THAT(FileNames(), ElementsAre("w.safetensors"));
}

}  // namespace
}  // namespace lazynet::checkpoint
