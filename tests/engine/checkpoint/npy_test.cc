#include "engine/checkpoint/npy.h"

#include "tests/engine/checkpoint/numpy_files.h"
#include "tests/engine/checkpoint/support.h"

namespace lazynet::checkpoint {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

absl::StatusOr<Tensor> ParseText(std::string_view bytes, size_t shift = 0) {
  const Memory memory(bytes, shift);
  return ParseNpy(memory.bytes(), memory.owner());
}

// A file of version 1.0 with that header.
std::string Npy(std::string_view header, std::string_view data = {}) {
  const auto length = static_cast<uint16_t>(header.size());
  std::string file("\x93NUMPY\x01\0", 8);
  file.append(reinterpret_cast<const char*>(&length), sizeof(length));
  file += header;
  file += data;
  return file;
}

std::string Refusal(std::string_view bytes) {
  const absl::Status status = ParseText(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(Message(status));
}

TEST(Npy, ReadsWhatNumPyWrites) {
  struct Case {
    std::string_view file;
    DType dtype;
    Shape shape;
    std::string bytes;
  };
  const Case cases[] = {
      {numpy_files::kFloat32Matrix, DType::kFp32, Shape{2, 3},
       Bytes<float>({1, -2, 0.5f, 4, 0, -0.25f})},
      {numpy_files::kFloat64Scalar, DType::kFp64, Shape{}, Bytes<double>({0.1})},
      {numpy_files::kFloat16Empty, DType::kFp16, Shape{0, 4}, ""},
      {numpy_files::kInt8Vector, DType::kInt8, Shape{3}, Bytes<int8_t>({-128, 127, 0})},
      {numpy_files::kUint16Vector, DType::kUint16, Shape{2}, Bytes<uint16_t>({0, 65535})},
      {numpy_files::kInt64Vector, DType::kInt64, Shape{2}, Bytes<int64_t>({INT64_MIN, INT64_MAX})},
      {numpy_files::kBoolVector, DType::kBool, Shape{3}, Bytes<bool>({true, false, true})},
      {numpy_files::kVersion2, DType::kInt32, Shape{2, 2}, Bytes<int32_t>({0, 1, 2, 3})},
  };
  for (const Case& c : cases) {
    const auto tensor = ParseText(c.file);
    ASSERT_TRUE(tensor.ok()) << tensor.status();
    EXPECT_EQ(tensor->dtype(), c.dtype);
    EXPECT_EQ(tensor->shape(), c.shape);
    EXPECT_EQ(BytesOf(*tensor), c.bytes);
  }
}

TEST(Npy, WritesByteForByteWhatNumPyWrites) {
  for (const std::string_view file :
       {numpy_files::kFloat32Matrix, numpy_files::kFloat64Scalar, numpy_files::kFloat16Empty,
        numpy_files::kInt8Vector, numpy_files::kUint16Vector, numpy_files::kInt64Vector,
        numpy_files::kBoolVector}) {
    const auto tensor = ParseText(file);
    ASSERT_TRUE(tensor.ok()) << tensor.status();
    const auto written = SerializeNpy(tensor->view());
    ASSERT_TRUE(written.ok()) << written.status();
    EXPECT_EQ(*written, file);
  }
}

TEST(Npy, RefusesWhatItDoesNotTakeFromNumPy) {
  EXPECT_EQ(Refusal(numpy_files::kVersion3), "wants version 1.0 or 2.0, got 3.0");
  EXPECT_EQ(Refusal(numpy_files::kFortran),
            "header: wants C order, got fortran_order True (numpy.ascontiguousarray converts)");
  EXPECT_EQ(Refusal(numpy_files::kBigEndian),
            R"(header: descr wants little-endian numbers, got big-endian ">f4")");
  EXPECT_THAT(Refusal(numpy_files::kComplex), HasSubstr(R"(got "<c8")"));
  EXPECT_THAT(Refusal(numpy_files::kText), HasSubstr(R"(got "<U2")"));
  EXPECT_THAT(Refusal(numpy_files::kRecord), HasSubstr("wants descr as text, got \"[('x'"));
}

TEST(Npy, ReadsOtherSpellingsOfTheHeader) {
  const std::string data = Bytes<float>({1, 2});
  for (const std::string_view header :
       {R"({"shape":(2,),"fortran_order":False,"descr":"<f4"})",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }   \n",
        " { 'descr' : '<f4' , 'shape' : ( 1 , 2 , ) , 'fortran_order' : False } "}) {
    const auto tensor = ParseText(Npy(header, data));
    ASSERT_TRUE(tensor.ok()) << tensor.status();
    EXPECT_THAT(tensor->values<float>(), ElementsAre(1, 2));
  }
}

TEST(Npy, RefusesMalformedHeaders) {
  const auto header = [](std::string_view descr, std::string_view order, std::string_view shape) {
    return Npy(
        fmt::format("{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}\n", descr, order, shape),
        Bytes<float>({1, 2}));
  };
  ASSERT_TRUE(ParseText(header("'<f4'", "False", "(2,)")).ok());
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(3,)")),
              HasSubstr("wants 12 bytes of data, got 8"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(1,)")), HasSubstr("wants 4 bytes of data, got 8"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(2)")), HasSubstr("in brackets"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(-2,)")), HasSubstr("whole number"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(02,)")), HasSubstr("leading zeros"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(2.0,)")), HasSubstr("',' or ')'"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(,)")), HasSubstr("whole number"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(2 1)")), HasSubstr("',' or ')'"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "[2]")), HasSubstr("tuple"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(((((")), HasSubstr("whole number"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(18446744073709551618,)")), HasSubstr("dims from"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(0, 18446744073709551618)")),
              HasSubstr("dims from"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(2147483647, 2147483647, 0)")),
              HasSubstr("elements"));
  EXPECT_THAT(Refusal(header("'<f4'", "False", "(1,1,1,1,1,1,1,1,1,1,1,1,2)")), HasSubstr("rank"));
  EXPECT_THAT(Refusal(header("'<f4'", "0", "(2,)")), HasSubstr("True or False"));
  EXPECT_THAT(Refusal(header("'=f4'", "False", "(2,)")), HasSubstr("got \"=f4\""));
  EXPECT_THAT(Refusal(header("'|f4'", "False", "(2,)")), HasSubstr("got \"|f4\""));
  EXPECT_THAT(Refusal(header("'|O'", "False", "(2,)")), HasSubstr("got \"|O\""));
  EXPECT_THAT(Refusal(header("'<f4", "False", "(2,)")), HasSubstr("wants"));
  EXPECT_THAT(Refusal(header(R"('\x3cf4')", "False", "(2,)")), HasSubstr("escapes"));
  EXPECT_THAT(Refusal(Npy("{}")), HasSubstr("descr, got none"));
  EXPECT_THAT(Refusal(Npy("{'descr': '<f4'}")), HasSubstr("fortran_order, got none"));
  EXPECT_THAT(Refusal(Npy("{'descr': '<f4', 'fortran_order': False}")),
              HasSubstr("shape, got none"));
  EXPECT_THAT(Refusal(Npy("{'descr': '<f4', 'descr': '<f4'}")), HasSubstr("descr once"));
  EXPECT_THAT(Refusal(Npy("{'other': 1}")), HasSubstr("got \"other\""));
  EXPECT_THAT(Refusal(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': ()} x")),
              HasSubstr("after the dict"));
  EXPECT_THAT(Refusal(Npy("")), HasSubstr("'{', got its end"));
  EXPECT_THAT(Refusal("PK\x03\x04"), HasSubstr("wants to begin with"));
  EXPECT_THAT(Refusal(""), HasSubstr("wants to begin with"));
}

TEST(Npy, LimitsTheHeader) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }";
  header.resize(10'000, ' ');
  EXPECT_TRUE(ParseText(Npy(header, Bytes<float>({1}))).ok());
  EXPECT_THAT(Refusal(Npy(header + ' ', Bytes<float>({1}))), HasSubstr("at most 10000 bytes"));
  EXPECT_THAT(Refusal(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff", 12)),
              HasSubstr("at most 10000 bytes"));
}

TEST(Npy, RefusesEveryTruncation) {
  const std::string_view file = numpy_files::kFloat32Matrix;
  for (size_t size = 0; size < file.size(); ++size) EXPECT_NE(Refusal(file.substr(0, size)), "");
}

TEST(Npy, SurvivesEveryFlippedByte) {
  for (const std::string_view original : {numpy_files::kInt8Vector, numpy_files::kVersion2}) {
    for (size_t i = 0; i < original.size(); ++i) {
      for (int flip = 1; flip < 256; ++flip) {
        std::string file(original);
        file[i] = static_cast<char>(file[i] ^ flip);
        const auto tensor = ParseText(file);
        if (tensor.ok()) {
          EXPECT_EQ(BytesOf(*tensor).size(), tensor->bytes());
        } else {
          EXPECT_THAT(tensor.status().message(), testing::Not(IsEmpty()));
        }
      }
    }
  }
}

TEST(Npy, ViewsAlignedDataAndCopiesOther) {
  const Memory aligned(numpy_files::kFloat32Matrix);
  const auto view = ParseNpy(aligned.bytes(), aligned.owner());
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->data(), aligned.bytes().data() + 128);
  const Memory shifted(numpy_files::kFloat32Matrix, 1);
  const auto copy = ParseNpy(shifted.bytes(), shifted.owner());
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_TRUE(IsAligned(*copy));
  EXPECT_EQ(BytesOf(*copy), BytesOf(*view));
}

TEST(Npy, RefusesBoolsThatAreNone) {
  EXPECT_EQ(Refusal(Npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", "\1\2")),
            "BOOL wants 0 or 1, got 2 at element 1");
}

TEST(Npy, DoesNotWriteWhatNumPyOrAReaderWouldNotTake) {
  const uint16_t bits = 0x3f80;
  const auto* data = reinterpret_cast<const std::byte*>(&bits);
  EXPECT_EQ(Message(SerializeNpy({DType::kBf16, Shape{1}, data}).status()),
            "wants a type that NumPy has, got BF16");
  EXPECT_FALSE(SerializeNpy({DType::kFp16, Shape{kUnknownDim}, data}).ok());
  EXPECT_FALSE(SerializeNpy({DType::kFp16, Shape{1}, nullptr}).ok());
  EXPECT_FALSE(SerializeNpy({DType::kBool, Shape{2}, data}).ok());
}

class NpyFileTest : public FolderTest {};

TEST_F(NpyFileTest, RoundTripsThroughAFile) {
  auto tensor = Tensor::Allocate(DType::kFp64, Shape{3, 1});
  ASSERT_TRUE(tensor.ok());
  const auto values = tensor->mutable_view().values<double>();
  values[0] = 1, values[1] = -2, values[2] = 1e300;
  ASSERT_TRUE(WriteNpy(folder_ / "a.npy", tensor->view()).ok());
  const auto read = ReadNpy(folder_ / "a.npy");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->shape(), (Shape{3, 1}));
  EXPECT_THAT(read->values<double>(), ElementsAre(1, -2, 1e300));
  EXPECT_EQ(ReadNpy(folder_ / "b.npy").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace lazynet::checkpoint
