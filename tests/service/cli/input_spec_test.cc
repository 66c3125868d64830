#include "service/cli/input_spec.h"

#include <gmock/gmock.h>

#include <array>
#include <fstream>

#include "engine/checkpoint/npy.h"
#include "engine/checkpoint/safetensors_writer.h"
#include "engine/core/float16.h"
#include "tests/service/cli/support.h"

namespace lazynet::cli {
namespace {

using Source = InputSpec::Source;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TensorView ViewOf(const std::vector<float>& values, Shape shape) {
  return {DType::kFp32, std::move(shape), reinterpret_cast<const std::byte*>(values.data())};
}

// The tensor for an input called `x`.
absl::StatusOr<Tensor> Load(const std::string& text, const std::string& datatype = "FP32") {
  const auto spec = ParseInputSpec(text);
  if (!spec.ok()) return spec.status();
  return LoadInput(*spec, "x", datatype);
}

std::string ErrorOf(const absl::Status& status) { return std::string(Message(status)); }

TEST(InputSpec, ReadsEveryKindOfSource) {
  const struct {
    const char* text;
    InputSpec wanted;
  } rows[] = {
      {"a.npy", {"", Source::kNpy, "a.npy", "", {}, 0}},
      {"x=dir/a.npy", {"x", Source::kNpy, "dir/a.npy", "", {}, 0}},
      {"x=a=b.npy", {"x", Source::kNpy, "a=b.npy", "", {}, 0}},
      {"a.safetensors", {"", Source::kSafetensors, "a.safetensors", "", {}, 0}},
      {"x=a.safetensors:fc1.weight",
       {"x", Source::kSafetensors, "a.safetensors", "fc1.weight", {}, 0}},
      {"a.safetensors:b:0", {"", Source::kSafetensors, "a.safetensors", "b:0", {}, 0}},
      {"raw:a.bin:2x3x4", {"", Source::kRaw, "a.bin", "", {2, 3, 4}, 0}},
      {"x=raw:c:a.bin:5", {"x", Source::kRaw, "c:a.bin", "", {5}, 0}},
      {"zeros:2x3", {"", Source::kZeros, "", "", {2, 3}, 0}},
      {"ones:scalar", {"", Source::kOnes, "", "", {}, 0}},
      {"zeros:0x7", {"", Source::kZeros, "", "", {0, 7}, 0}},
      {"input:0=random:2x3", {"input:0", Source::kRandom, "", "", {2, 3}, 0}},
      {"random:8:42", {"", Source::kRandom, "", "", {8}, 42}},
      {"random:8:18446744073709551615", {"", Source::kRandom, "", "", {8}, 18446744073709551615u}},
  };
  for (const auto& row : rows) {
    const auto spec = ParseInputSpec(row.text);
    ASSERT_TRUE(spec.ok()) << row.text << ": " << spec.status();
    EXPECT_EQ(spec->name, row.wanted.name) << row.text;
    EXPECT_EQ(spec->source, row.wanted.source) << row.text;
    EXPECT_EQ(spec->path, row.wanted.path) << row.text;
    EXPECT_EQ(spec->tensor, row.wanted.tensor) << row.text;
    EXPECT_EQ(spec->shape, row.wanted.shape) << row.text;
    EXPECT_EQ(spec->seed, row.wanted.seed) << row.text;
  }
}

TEST(InputSpec, RefusesWhatIsNone) {
  const struct {
    const char* text;
    const char* message;
  } rows[] = {
      {"", "wants FILE.npy"},
      {"a.txt", "wants FILE.npy"},
      {"zeros", "wants FILE.npy"},
      {"=a.npy", "wants a name before ="},
      {"x=", "wants FILE.npy"},
      {"a.safetensors:", "wants a tensor's name"},
      {"raw:a.bin", "wants a file and a shape"},
      {"raw::2x3", "wants a file and a shape"},
      {"raw:a.bin:", "wants sizes joined by x"},
      {"zeros:", "wants sizes joined by x"},
      {"zeros:2x", "wants sizes joined by x"},
      {"zeros:x2", "wants sizes joined by x"},
      {"zeros:2xx3", "wants sizes joined by x"},
      {"zeros:2,3", "wants sizes joined by x"},
      {"zeros:-1x3", "wants sizes joined by x"},
      {"zeros:+1", "wants sizes joined by x"},
      {"zeros:2x3:7", "wants nothing after the shape"},
      {"random:2x3:", "a seed wants"},
      {"random:2x3:-1", "a seed wants"},
      {"random:2x3:1:2", "a seed wants"},
      {"zeros:9999999999", "wants dims from 0 to"},
      {"zeros:99999999999999999999", "wants sizes joined by x"},
      {"zeros:1x1x1x1x1x1x1x1x1x1x1x1x1", "wants a rank of at most"},
      {"zeros:2000000000x2000000000", "wants at most"},
  };
  for (const auto& row : rows) {
    const auto spec = ParseInputSpec(row.text);
    ASSERT_FALSE(spec.ok()) << row.text;
    EXPECT_THAT(
        ErrorOf(spec.status()),
        AllOf(HasSubstr("--input \"" + std::string(row.text) + "\""), HasSubstr(row.message)));
  }
}

TEST(InputSpec, ReadsRangesOfRows) {
  const struct {
    const char* text;
    int64_t begin;
    std::optional<int64_t> end;
  } rows[] = {{"0:8", 0, 8}, {"3:", 3, std::nullopt}, {":4", 0, 4}, {":", 0, std::nullopt}};
  for (const auto& row : rows) {
    const auto range = ParseRows(row.text);
    ASSERT_TRUE(range.ok()) << row.text;
    EXPECT_EQ(range->begin, row.begin) << row.text;
    EXPECT_EQ(range->end, row.end) << row.text;
  }
  for (const char* text : {"", "8", "8:8", "9:8", "-1:2", "a:b", "1:2:3", "1 :2"}) {
    EXPECT_FALSE(ParseRows(text).ok()) << text;
  }
}

TEST(InputSpec, ZerosAndOnesAreOfTheTypeThatTheModelTakes) {
  for (const char* datatype : {"BOOL", "UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32",
                               "UINT64", "INT64", "FP16", "BF16", "FP32", "FP64"}) {
    const auto zeros = Load("zeros:3x5", datatype);
    ASSERT_TRUE(zeros.ok()) << datatype;
    EXPECT_EQ(Name(zeros->dtype()), datatype);
    EXPECT_EQ(zeros->shape(), (Shape{3, 5}));
    for (size_t i = 0; i < zeros->bytes(); ++i) EXPECT_EQ(zeros->data()[i], std::byte{0});
    ASSERT_TRUE(Load("ones:3x5", datatype).ok()) << datatype;
  }
  EXPECT_THAT(Load("ones:2")->values<float>(), ElementsAre(1, 1));
  EXPECT_THAT(Load("ones:2", "FP64")->values<double>(), ElementsAre(1, 1));
  EXPECT_THAT(Load("ones:2", "BOOL")->values<bool>(), ElementsAre(true, true));
  EXPECT_THAT(Load("ones:2", "INT16")->values<int16_t>(), ElementsAre(1, 1));
  EXPECT_THAT(Load("ones:2", "INT32")->values<int32_t>(), ElementsAre(1, 1));
  EXPECT_THAT(Load("ones:2", "INT64")->values<int64_t>(), ElementsAre(1, 1));
  const auto bits = [](const Tensor& tensor) {
    return *reinterpret_cast<const uint16_t*>(tensor.data());
  };
  EXPECT_EQ(HalfToFloat(bits(*Load("ones:1", "FP16"))), 1);
  EXPECT_EQ(Bfloat16ToFloat(bits(*Load("ones:1", "BF16"))), 1);
}

TEST(InputSpec, RandomIsUniformAndTheSameForTheSameSeed) {
  const auto first = Load("random:100x100:7");
  const auto second = Load("random:100x100:7");
  const auto other = Load("random:100x100:8");
  ASSERT_TRUE(first.ok() && second.ok() && other.ok());
  const auto values = first->values<float>();
  EXPECT_TRUE(std::equal(values.begin(), values.end(), second->values<float>().begin()));
  EXPECT_FALSE(std::equal(values.begin(), values.end(), other->values<float>().begin()));
  double sum = 0;
  for (const float value : values) {
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);  // 7 standard deviations of the mean
}

TEST(InputSpec, RandomNeverBecomesOneInHalfPrecision) {
  for (const char* datatype : {"FP16", "BF16"}) {
    const auto tensor = Load("random:100000", datatype);
    ASSERT_TRUE(tensor.ok());
    const auto* bits = reinterpret_cast<const uint16_t*>(tensor->data());
    for (int i = 0; i < 100000; ++i) {
      const float value = datatype[0] == 'F' ? HalfToFloat(bits[i]) : Bfloat16ToFloat(bits[i]);
      ASSERT_TRUE(value >= 0 && value < 1) << value;
    }
  }
}

TEST(InputSpec, RandomMakesNoWholeNumbers) {
  EXPECT_EQ(ErrorOf(Load("random:3", "INT64").status()),
            "input \"x\": random makes FP16, BF16, FP32 and FP64, and the model takes INT64");
}

TEST(InputSpec, TextIsNotMadeHere) {
  EXPECT_THAT(ErrorOf(Load("zeros:3", "BYTES").status()), HasSubstr("the model takes BYTES"));
}

TEST(InputSpec, MakesNothingThatNoMessageCarries) {
  EXPECT_THAT(ErrorOf(Load("zeros:1000000x1000000").status()),
              HasSubstr("wants at most 2147483647 bytes"));
}

TEST(InputSpec, ReadsFilesOfNumPy) {
  const ScratchFolder folder;
  const std::string path = folder / "a.npy";
  ASSERT_TRUE(checkpoint::WriteNpy(path, ViewOf({1, 2, 3, 4}, {2, 2})).ok());
  const auto tensor = Load(path);
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->shape(), (Shape{2, 2}));
  EXPECT_THAT(tensor->values<float>(), ElementsAre(1, 2, 3, 4));
}

TEST(InputSpec, ReadsTheTensorOfTheInputsNameOrTheOneThatIsNamed) {
  const ScratchFolder folder;
  const std::string path = folder / "a.safetensors";
  const std::vector<float> one = {1};
  const std::vector<float> two = {2};
  const std::array<checkpoint::NamedTensorView, 2> tensors = {
      {{"x", ViewOf(one, {1})}, {"y", ViewOf(two, {1})}}};
  ASSERT_TRUE(checkpoint::WriteSafetensors(path, tensors).ok());
  EXPECT_THAT(Load(path)->values<float>(), ElementsAre(1));
  EXPECT_THAT(Load(path + ":y")->values<float>(), ElementsAre(2));
  EXPECT_THAT(ErrorOf(Load(path + ":z").status()),
              AllOf(HasSubstr("input \"x\": " + path), HasSubstr("wants a tensor \"z\""),
                    HasSubstr("has \"x\", \"y\"")));
}

TEST(InputSpec, ReadsRawFilesOfTheRightSize) {
  const ScratchFolder folder;
  const std::string path = folder / "a.bin";
  WriteFile(path, std::string("\1\0\2\0\3\0", 6));
  EXPECT_THAT(Load("raw:" + path + ":3", "INT16")->values<int16_t>(), ElementsAre(1, 2, 3));
  EXPECT_THAT(ErrorOf(Load("raw:" + path + ":3").status()),
              AllOf(HasSubstr(path), HasSubstr("FP32 [3] wants 12 bytes, got 6")));
}

TEST(InputSpec, NamesTheFileThatCannotBeUsed) {
  const ScratchFolder folder;
  const std::string text = folder / "text.npy";
  WriteFile(text, "no array");
  for (const std::string& spec : {text, folder / "none.npy", folder / "none.safetensors"}) {
    EXPECT_THAT(ErrorOf(Load(spec).status()), HasSubstr("input \"x\": " + spec)) << spec;
  }
}

TEST(SliceRows, TakesRowsWithoutCopying) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const auto owner = std::make_shared<int>(0);
  const Tensor tensor =
      Tensor::Wrap(DType::kFp32, {3, 2}, owner, reinterpret_cast<const std::byte*>(values.data()));
  const auto rows = SliceRows(tensor, {1, 3});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->shape(), (Shape{2, 2}));
  EXPECT_THAT(rows->values<float>(), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(SliceRows(tensor, {2, std::nullopt})->values<float>(), ElementsAre(5, 6));
}

TEST(SliceRows, RefusesRowsThatAreNotThere) {
  const Tensor tensor = *Tensor::Allocate(DType::kFp32, {3, 2});
  EXPECT_EQ(ErrorOf(SliceRows(tensor, {2, 4}).status()),
            "--slice wants rows 2 to 4, got 3 rows in [3, 2]");
  EXPECT_FALSE(SliceRows(tensor, {3, std::nullopt}).ok());
  EXPECT_FALSE(SliceRows(*Tensor::Allocate(DType::kFp32, Shape()), {0, 1}).ok());
  EXPECT_FALSE(SliceRows(*Tensor::Allocate(DType::kFp32, {0, 2}), {0, std::nullopt}).ok());
}

}  // namespace
}  // namespace lazynet::cli
