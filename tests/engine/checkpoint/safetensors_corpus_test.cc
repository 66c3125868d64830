// Over the files of shared/data: a corpus made for readers' tests, and files of other programs.

#include <algorithm>
#include <map>
#include <sstream>

#include "engine/core/float16.h"
#include "tests/engine/checkpoint/support.h"

namespace lazynet::checkpoint {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::filesystem::path kData = LAZYNET_SOURCE_DIR "/../shared/data";
const std::filesystem::path kCorpus = kData / "safetensors-corpus";
const std::filesystem::path kWild = kData / "safetensors-wild";

#define SKIP_WITHOUT(folder)                                                              \
  if (!std::filesystem::exists(folder))                                                   \
  GTEST_SKIP() << "NOT TESTED: the files of " << (folder).filename() << " are not here, " \
               << "where shared/data beside the source tree should have them"

// The names that the manifest has under a folder, without their ending.
std::vector<std::string> Listed(std::string_view folder) {
  std::istringstream manifest(ReadFile(kCorpus / "manifest.tsv"));
  std::vector<std::string> names;
  for (std::string line; std::getline(manifest, line);) {
    const std::string path = line.substr(0, line.find('\t'));
    if (path.starts_with(folder) && path[folder.size()] == '/') {
      names.push_back(std::filesystem::path(path).stem());
    }
  }
  EXPECT_THAT(names, Not(IsEmpty()));
  return names;
}

// From the mapped file and, the same in all, from memory at every alignment.
absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Read(const std::filesystem::path& path) {
  auto file = SafetensorsFile::Open(path);
  const std::string bytes = ReadFile(path);
  for (size_t shift = 0; shift < 8; ++shift) {
    const Memory memory(bytes, shift);
    const auto parsed = ParseSafetensors(memory.bytes(), memory.owner());
    EXPECT_EQ(parsed.status(), file.status());
    if (!file.ok() || !parsed.ok()) continue;
    EXPECT_TRUE(std::equal((*parsed)->tensors().begin(), (*parsed)->tensors().end(),
                           (*file)->tensors().begin(), (*file)->tensors().end(),
                           [](const NamedTensor& a, const NamedTensor& b) {
                             return a.name == b.name && IsAligned(a.tensor) &&
                                    IsAligned(b.tensor) && BytesOf(a.tensor) == BytesOf(b.tensor);
                           }));
  }
  return file;
}

struct Expected {
  std::string name;
  DType dtype;
  Shape shape;
  std::string bytes;
};

struct ExpectedFile {
  std::vector<Expected> tensors;
  Metadata metadata;
};

std::map<std::string, ExpectedFile> ValidFiles() {
  const std::string w = Bytes<float>({1, -2, 0.5f, 4});
  const Expected plain = {"w", DType::kFp32, Shape{2, 2}, w};
  const auto named = [&](std::string name) { return Expected{name, DType::kFp32, Shape{2, 2}, w}; };
  const auto pair = [](DType dtype, std::string bytes) {
    return ExpectedFile{{{"w", dtype, Shape{2}, std::move(bytes)}}, {}};
  };
  ExpectedFile many;
  for (int i = 0; i < 300; ++i) {
    many.tensors.push_back({fmt::format("layer.{}.weight", i), DType::kUint8, Shape{1},
                            std::string(1, static_cast<char>(i % 256))});
  }
  return {
      {"plain", {{plain}, {}}},
      {"space_padding", {{plain}, {}}},
      {"unaligned_header", {{named("odd name")}, {}}},
      {"empty_object", {}},
      {"metadata_only", {{}, {{"format", "pt"}}}},
      {"metadata", {{plain}, {{"format", "pt"}, {"note", ""}}}},
      {"metadata_last", {{plain}, {{"format", "pt"}}}},
      {"scalar", {{{"w", DType::kFp32, Shape{}, Bytes<float>({1})}}, {}}},
      {"scalar_i64",
       {{{"bn.num_batches_tracked", DType::kInt64, Shape{}, Bytes<int64_t>({1500})}}, {}}},
      {"counter_shape_1",
       {{{"bn.num_batches_tracked", DType::kInt64, Shape{1}, Bytes<int64_t>({7})}}, {}}},
      {"zero_dimension", {{{"w", DType::kInt32, Shape{2, 0}, ""}}, {}}},
      {"zero_between",
       {{{"a", DType::kFp32, Shape{2}, Bytes<float>({1, -2})},
         {"b", DType::kFp32, Shape{2}, Bytes<float>({0.5f, 4})},
         {"z", DType::kFp32, Shape{0, 3}, ""}},
        {}}},
      {"order_differs",
       {{{"a", DType::kFp32, Shape{2}, Bytes<float>({0.5f, 4})},
         {"b", DType::kFp32, Shape{2}, Bytes<float>({1, -2})}},
        {}}},
      {"unaligned_tensor", {{{"u", DType::kUint8, Shape{3}, "\x01\x02\xff"}, plain}, {}}},
      {"unicode_name", {{named("gewicht.\u00fc.\u5c42")}, {}}},
      {"escaped_name", {{named("a\"b\\c\u00e9\U0001F600")}, {}}},
      {"dotted_numbers", {{named("features.0.conv.1.weight")}, {}}},
      {"empty_name", {{named("")}, {}}},
      {"high_rank", {{{"w", DType::kFp32, Shape{1, 1, 2, 1, 1, 2, 1, 1}, w}}, {}}},
      {"specials_f32",
       {{{"w", DType::kFp32, Shape{2, 2},
          Bytes<uint32_t>({0x7fc00000, 0x7f800000, 0xff800000, 0x80000000})}},
        {}}},
      {"f16",
       {{{"w", DType::kFp16, Shape{4}, Bytes<uint16_t>({0x3c00, 0xc000, 0x3800, 0x7bff})}}, {}}},
      {"f16_subnormal",
       {{{"w", DType::kFp16, Shape{3}, Bytes<uint16_t>({0x0001, 0x03ff, 0x8001})}}, {}}},
      {"bf16",
       {{{"w", DType::kBf16, Shape{4}, Bytes<uint16_t>({0x3f80, 0xc000, 0x3f00, 0x7f7f})}}, {}}},
      {"f64", pair(DType::kFp64, Bytes<double>({0.1, 1e300}))},
      {"type_i8", pair(DType::kInt8, Bytes<int8_t>({INT8_MIN, INT8_MAX}))},
      {"type_u8", pair(DType::kUint8, Bytes<uint8_t>({0, UINT8_MAX}))},
      {"type_i16", pair(DType::kInt16, Bytes<int16_t>({INT16_MIN, INT16_MAX}))},
      {"type_u16", pair(DType::kUint16, Bytes<uint16_t>({0, UINT16_MAX}))},
      {"type_i32", pair(DType::kInt32, Bytes<int32_t>({INT32_MIN, INT32_MAX}))},
      {"type_u32", pair(DType::kUint32, Bytes<uint32_t>({0, UINT32_MAX}))},
      {"type_i64", pair(DType::kInt64, Bytes<int64_t>({INT64_MIN, INT64_MAX}))},
      {"type_u64", pair(DType::kUint64, Bytes<uint64_t>({0, UINT64_MAX}))},
      {"type_bool", pair(DType::kBool, Bytes<bool>({false, true}))},
      {"300_tensors", many},
  };
}

TEST(SafetensorsCorpus, IsWhole) {
  SKIP_WITHOUT(kCorpus);
  size_t files = 0;
  for (const std::string folder : {"valid", "malformed", "unclear"}) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(kCorpus / folder)) {
      found.push_back(entry.path().stem());
    }
    EXPECT_THAT(Listed(folder), testing::UnorderedElementsAreArray(found));
    files += found.size();
  }
  EXPECT_EQ(files, 138u);
}

TEST(SafetensorsCorpus, ReadsEveryValidFileWithItsValues) {
  SKIP_WITHOUT(kCorpus);
  const std::map<std::string, ExpectedFile> expected = ValidFiles();
  std::vector<std::string> known;
  for (const auto& [name, file] : expected) known.push_back(name);
  EXPECT_THAT(Listed("valid"), testing::UnorderedElementsAreArray(known));
  for (const auto& [name, wanted] : expected) {
    SCOPED_TRACE(name);
    const auto file = Read(kCorpus / "valid" / (name + ".safetensors"));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->metadata(), wanted.metadata);
    EXPECT_EQ((*file)->tensors().size(), wanted.tensors.size());
    for (const Expected& tensor : wanted.tensors) {
      const Tensor* found = (*file)->Find(tensor.name);
      ASSERT_NE(found, nullptr) << tensor.name;
      EXPECT_EQ(found->dtype(), tensor.dtype);
      EXPECT_EQ(found->shape(), tensor.shape);
      EXPECT_EQ(BytesOf(*found), tensor.bytes);
    }
  }
}

TEST(SafetensorsCorpus, ReadsHalfPrecisionAsTheNumbersThatItMeans) {
  SKIP_WITHOUT(kCorpus);
  const auto numbers = [](const std::string& name, float (*convert)(uint16_t)) {
    std::vector<float> values;
    const auto file = Read(kCorpus / "valid" / (name + ".safetensors"));
    if (!file.ok()) return values;
    for (const NamedTensor& entry : (*file)->tensors()) {
      const auto* bits = reinterpret_cast<const uint16_t*>(entry.tensor.data());
      for (int64_t i = 0; i < entry.tensor.shape().num_elements(); ++i) {
        values.push_back(convert(bits[i]));
      }
    }
    return values;
  };
  EXPECT_THAT(numbers("f16", HalfToFloat), testing::ElementsAre(1, -2, 0.5f, 65504));
  EXPECT_THAT(numbers("f16_subnormal", HalfToFloat),
              testing::ElementsAre(5.9604645e-08f, 6.0975552e-05f, -5.9604645e-08f));
  EXPECT_THAT(numbers("bf16", Bfloat16ToFloat), testing::ElementsAre(1, -2, 0.5f, 3.3895314e+38f));
}

TEST(SafetensorsCorpus, RefusesEveryMalformedFile) {
  SKIP_WITHOUT(kCorpus);
  for (const std::string& name : Listed("malformed")) {
    SCOPED_TRACE(name);
    const absl::Status status = Read(kCorpus / "malformed" / (name + ".safetensors")).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), Not(IsEmpty()));
    EXPECT_LT(status.message().size(), 500u);
  }
}

// Where the format's text and its reference reader differ or are silent: what we say, or "" for a
// file that we take. The rule: what the text forbids is refused; else what the reference reader
// takes is taken, unless its meaning is open (a field that we do not know, a bool that is none).
const std::map<std::string, std::string> kUnclear = {
    {"leading_space", "header wants to begin with '{'"},
    {"tab_newline_padding", ""},
    {"utf8_bom", "header wants to begin with '{'"},
    {"unknown_field", "wants the fields dtype, shape and data_offsets, got \"comment\""},
    {"exponent_integer", "shape wants whole numbers from 0 to 2147483647, got 2e0"},
    {"point_zero_integer", "shape wants whole numbers from 0 to 2147483647, got 2.0"},
    {"minus_zero", "data_offsets wants whole numbers from 0 to 16, got -0"},
    {"leading_zero", "header wants JSON"},
    {"bool_2", "BOOL wants 0 or 1, got 2 at element 2"},
    {"f8_e4m3", "got \"F8_E4M3\""},
    {"f4_sub_byte", "got \"F4\""},
    {"control_character_name", ""},
    {"overflow_times_zero", "shape wants whole numbers from 0 to 2147483647"},
    {"lone_surrogate", "header wants JSON"},
};

TEST(SafetensorsCorpus, DecidesEveryUnclearFile) {
  SKIP_WITHOUT(kCorpus);
  std::vector<std::string> decided;
  for (const auto& [name, refusal] : kUnclear) decided.push_back(name);
  EXPECT_THAT(Listed("unclear"), testing::UnorderedElementsAreArray(decided));
  for (const auto& [name, refusal] : kUnclear) {
    SCOPED_TRACE(name);
    const auto file = Read(kCorpus / "unclear" / (name + ".safetensors"));
    EXPECT_EQ(file.ok(), refusal.empty()) << file.status();
    if (!file.ok()) {
      EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_THAT(file.status().message(), HasSubstr(refusal));
    } else {
      ASSERT_EQ((*file)->tensors().size(), 1u);
      EXPECT_EQ(BytesOf((*file)->tensors()[0].tensor), Bytes<float>({1, -2, 0.5f, 4}));
    }
  }
  const auto control = Read(kCorpus / "unclear" / "control_character_name.safetensors");
  ASSERT_TRUE(control.ok());
  EXPECT_NE((*control)->Find(std::string_view("a\0b", 3)), nullptr);
}

TEST(SafetensorsWild, ReadsWhatOtherProgramsWrote) {
  SKIP_WITHOUT(kWild);
  struct Case {
    std::string file;
    std::string tensor;
    DType dtype;
    Shape shape;
    size_t tensors;
  };
  for (const Case& c : {
           Case{"mlverse-hello", "hello", DType::kFp32, Shape{10, 10}, 2},
           Case{"mlverse-hello", "world", DType::kFp32, Shape{5, 10}, 2},
           Case{"swift-data", "test", DType::kInt32, Shape{2, 2}, 1},
           Case{"syoyo-f64", "weight1", DType::kFp64, Shape{8, 8}, 2},
           Case{"syoyo-f64", "weight2", DType::kFp64, Shape{16, 16}, 2},
           Case{"candle-jfk-codes", "codes", DType::kInt64, Shape{1, 2, 828}, 1},
       }) {
    SCOPED_TRACE(c.file);
    const auto file = Read(kWild / (c.file + ".safetensors"));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->tensors().size(), c.tensors);
    const Tensor* tensor = (*file)->Find(c.tensor);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->dtype(), c.dtype);
    EXPECT_EQ(tensor->shape(), c.shape);
  }
  EXPECT_THAT(Read(kWild / "syoyo-abuse-attempt-1.safetensors").status().message(),
              HasSubstr("wants a header of 1000 bytes, got 80"));
}

}  // namespace
}  // namespace lazynet::checkpoint
