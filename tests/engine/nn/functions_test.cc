#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/nn/layer_registry.h"
#include "tests/support/definitions.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::PerAxis;

constexpr int64_t kOpen = kUnknownDim;

// A function on shapes, whose dims may be open: the outputs' shapes, or the error.
struct ShapeRow {
  std::string type;
  Attributes attributes;
  std::vector<Shape> inputs;
  std::string result;
};

std::string InferShapes(const ShapeRow& row) {
  const auto layer = MakeLayer(row.type, row.attributes);
  if (!layer.ok()) return std::string(Message(layer.status()));
  Sizes sizes = (*layer)->DeclaredSizes();
  const auto shapes = (*layer)->Infer(row.inputs, sizes);
  if (!shapes.ok()) return std::string(Message(shapes.status()));
  std::string text;
  for (const Shape& shape : *shapes) {
    if (!text.empty()) text += ' ';
    text += shape.ToString();
  }
  return text;
}

TEST(Functions, Shapes) {
  const Attributes dim1{Arg("dim", 1)};
  const Attributes dims{PerAxis("dim", {0, -1})};
  const Attributes kept{PerAxis("dim", {1}), Arg("keepdim", true)};
  const ShapeRow rows[] = {
      {"Sub", {}, {{2, 3}, {3}}, "[2, 3]"},
      {"Sub", {}, {{2, kOpen}, {kOpen, 1}}, "[2, ?]"},
      {"Sub", {}, {{kOpen}, {0}}, "[0]"},
      {"Sub", {}, {{2, 3}, {2}}, "wants shapes that broadcast, got [2, 3] and [2]"},
      {"Eq", {Arg("other", 2.0)}, {{2, kOpen}}, "[2, ?]"},
      {"Where", {}, {{2, 1}, {3}, {}}, "[2, 3]"},
      {"Where", {Arg("other", 2.0)}, {{2, 1}, {3}}, "[2, 3]"},
      {"MaskedFill", {Arg("value", 2.0)}, {{3}, {2, 1}}, "[2, 3]"},
      {"Clamp", {Arg("min", 2.0)}, {{kOpen, 3}}, "[?, 3]"},
      {"Sum", {}, {{2, kOpen}}, "[]"},
      {"Sum", dims, {{2, kOpen, 4}}, "[?]"},
      {"Sum", kept, {{2, 3}}, "[2, 1]"},
      {"Sum", {PerAxis("dim", {-1})}, {{}}, "[]"},
      {"Sum", dims, {{2}}, "wants each dim once, got dim -1 twice in shape [2]"},
      {"Sum", kept, {{2}}, "wants a rank that has dim 1, got shape [2]"},
      {"Amax", {}, {{0, 2}}, "wants elements to choose from, got shape [0, 2]"},
      {"Amax", kept, {{0, 2}}, "[0, 1]"},
      {"Norm", {Arg("p", -1.0)}, {{0}}, "wants elements to choose from, got shape [0]"},
      {"Norm", {}, {{0}}, "[]"},
      {"Max", dim1, {{2, kOpen}}, "[2] [2]"},
      {"Max", dim1, {{2, 0}}, "wants elements to choose from, got shape [2, 0]"},
      {"Argmax", {}, {{2, 3}}, "[]"},
      {"Argmax", {Arg("keepdim", true)}, {{2, 3}}, "[1, 1]"},
      {"Topk", {Arg("k", 2)}, {{3, kOpen}}, "[3, 2] [3, 2]"},
      {"Topk", {Arg("k", 3)}, {{2}}, "wants at least 3 elements along dim -1, got shape [2]"},
      {"Topk", {Arg("k", 1)}, {{}}, "[] []"},
      {"Topk", {Arg("k", 2)}, {{}}, "wants at least 2 elements along dim -1, got shape []"},
      {"Sort", {}, {{3, kOpen}}, "[3, ?] [3, ?]"},
      {"Cumsum", dim1, {{2}}, "wants a rank that has dim 1, got shape [2]"},
      {"Matmul", {}, {{2, 3}, {3, 4}}, "[2, 4]"},
      {"Matmul", {}, {{3}, {3}}, "[]"},
      {"Matmul", {}, {{kOpen, 2, 3}, {3}}, "[?, 2]"},
      {"Matmul", {}, {{3}, {5, 3, 2}}, "[5, 2]"},
      {"Matmul", {}, {{5, 1, 2, kOpen}, {7, 3, 2}}, "[5, 7, 2, 2]"},
      {"Matmul",
       {},
       {{2, 3}, {2, 3}},
       "wants as many columns on the left as rows on the right, got shapes [2, 3] and [2, 3]"},
      {"Matmul", {}, {{}, {2}}, "wants inputs of rank 1 and more, got shapes [] and [2]"},
      {"Matmul", {}, {{2, 2, 3}, {4, 3, 2}}, "wants shapes that broadcast, got [2] and [4]"},
      {"CosineSimilarity", {}, {{2, 3, 4}, {3, 1}}, "[2, 4]"},
      {"CosineSimilarity", {}, {{3}, {3}}, "wants a rank that has dim 1, got shape [3]"},
      {"PairwiseDistance", {}, {{2, 3}, {3}}, "[2]"},
      {"PairwiseDistance", {Arg("keepdim", true)}, {{2, 3}, {3}}, "[2, 1]"},
      {"Normalize", {}, {{2}}, "wants a rank that has dim 1, got shape [2]"},
      {"GLU", {}, {{2, 6}}, "[2, 3]"},
      {"GLU", {}, {{2, kOpen}}, "[2, ?]"},
      {"GLU", {}, {{2, 3}}, "wants an even size along dim -1, got shape [2, 3]"},
      {"GLU", {}, {{}}, "wants a rank of at least 1, got shape []"},
      {"Softmax2d", {}, {{2, 3}}, "wants rank 3 or 4, got shape [2, 3]"},
      {"ImageNormalize", {}, {{3, 4}}, "wants a rank of at least 3, got shape [3, 4]"},
  };
  for (const ShapeRow& row : rows) EXPECT_EQ(InferShapes(row), row.result) << row.type;
}

// A function on dtypes: the outputs', or the error.
struct DTypeRow {
  std::string type;
  Attributes attributes;
  std::vector<DType> inputs;
  std::string result;
};

TEST(Functions, DTypes) {
  using enum DType;
  const Attributes two{Arg("other", 2.0)};
  const Attributes half{Arg("other", 0.5)};
  const Attributes dim1{Arg("dim", 1)};
  const DTypeRow rows[] = {
      {"Add", {}, {kInt8, kUint8}, "INT16"},
      {"Add", {}, {kBool, kBool}, "BOOL"},
      {"Add", two, {kBool}, "INT64"},
      {"Add", half, {kInt8}, "FP32"},
      {"Add", half, {kBf16}, "BF16"},
      {"Add", {Arg("alpha", 0.5)}, {kInt8, kInt8}, "wants an integral alpha for INT8, got 0.5"},
      {"Sub", {}, {kBool, kInt8}, "wants numbers, got BOOL"},
      {"Div", {}, {kInt8, kInt8}, "FP32"},
      {"Div", {Arg("rounding_mode", "floor")}, {kInt8, kInt8}, "INT8"},
      {"Div", {Arg("rounding_mode", "trunc")}, {kBool, kBool}, "wants numbers, got BOOL"},
      {"Pow", {Arg("exponent", 2.0)}, {kBool}, "INT64"},
      {"Pow",
       {Arg("exponent", -1.0)},
       {kInt32},
       "wants an exponent of at least 0 for INT32, got -1"},
      {"Lt", {}, {kFp64, kInt8}, "BOOL"},
      {"LogicalXor", {}, {kFp64, kInt8}, "BOOL"},
      {"Exp", {}, {kUint8}, "FP32"},
      {"Exp", {}, {kFp64}, "FP64"},
      {"Neg", {}, {kBool}, "wants numbers, got BOOL"},
      {"Sign", {}, {kBool}, "BOOL"},
      {"Floor", {}, {kInt16}, "INT16"},
      {"Square", {}, {kBool}, "INT64"},
      {"Isnan", {}, {kInt16}, "BOOL"},
      {"Clamp", {Arg("min", 0.0), Arg("max", 0.5)}, {kInt16}, "FP32"},
      {"Where", {}, {kBool, kInt8, kFp64}, "FP64"},
      {"Where", {}, {kInt8, kInt8, kFp64}, "wants a condition of BOOL or UINT8, got INT8"},
      {"Where", {Arg("input", 1.0), Arg("other", 2.5)}, {kBool}, "FP32"},
      {"Where", {Arg("input", 1.0), Arg("other", 2.0)}, {kBool}, "INT64"},
      {"Where", {Arg("other", 300.0)}, {kBool, kInt8}, "wants a value that INT8 holds, got 300"},
      {"MaskedFill", {Arg("value", 2.5)}, {kInt8, kBool}, "INT8"},
      {"MaskedFill",
       {Arg("value", 300.0)},
       {kInt8, kBool},
       "wants a value that INT8 holds, got 300"},
      {"MaskedFill",
       {Arg("value", 1e9)},
       {kFp16, kBool},
       "wants a value that FP16 holds, got 1000000000"},
      {"MaskedFill", {Arg("value", -1.0)}, {kUint8, kBool}, "UINT8"},
      {"MaskedFill",
       {Arg("value", -0.5)},
       {kUint8, kBool},
       "wants a value that UINT8 holds, got -0.5"},
      {"Clamp", {Arg("max", 300.0)}, {kInt8}, "wants a value that INT8 holds, got 300"},
      {"Clamp", {Arg("min", -1.0)}, {kUint8}, "UINT8"},
      {"Clamp", {Arg("max", 1e9)}, {kFp16}, "FP16"},
      {"Hardtanh", {Arg("max_val", 300.0)}, {kInt8}, "wants a value that INT8 holds, got 300"},
      {"Threshold",
       {Arg("threshold", 0.0), Arg("value", 300.0)},
       {kInt8},
       "wants a value that INT8 holds, got 300"},
      {"Sum", {}, {kInt8}, "INT64"},
      {"Sum", {}, {kFp16}, "FP16"},
      {"Mean", {}, {kInt8}, "wants a floating dtype, got INT8"},
      {"Amax", {}, {kInt8}, "INT8"},
      {"Any", {}, {kFp32}, "BOOL"},
      {"Any", {}, {kUint8}, "UINT8"},
      {"Max", dim1, {kInt8}, "INT8 INT64"},
      {"Argmax", {}, {kBool}, "wants numbers, got BOOL"},
      {"Topk", {Arg("k", 1)}, {kFp16}, "FP16 INT64"},
      {"Sort", {}, {kBool}, "BOOL INT64"},
      {"Cumsum", dim1, {kBool}, "INT64"},
      {"Logsumexp", {}, {kInt32}, "FP32"},
      {"Matmul", {}, {kInt8, kInt8}, "INT8"},
      {"Matmul", {}, {kBool, kBool}, "wants numbers, got BOOL"},
      {"Matmul", {}, {kFp32, kFp64}, "wants all inputs of dtype FP32, got FP64"},
      {"CosineSimilarity", {}, {kInt8, kInt8}, "wants a floating dtype, got INT8"},
      {"CosineSimilarity", {}, {kFp32, kFp64}, "FP64"},
      {"PairwiseDistance", {}, {kInt8, kInt8}, "FP32"},
      {"ReLU", {}, {kInt8}, "INT8"},
      {"ReLU", {}, {kBool}, "wants numbers, got BOOL"},
      {"Hardtanh", {}, {kUint8}, "wants limits of at least 0 for UINT8, got -1"},
      {"Sigmoid", {}, {kBool}, "FP32"},
      {"GELU", {}, {kInt8}, "wants a floating dtype, got INT8"},
      {"ImageNormalize", {}, {kUint8}, "FP32"},
      {"To", {Arg("dtype", "UINT16")}, {kFp32}, "UINT16"},
  };
  for (const DTypeRow& row : rows) {
    const auto layer = MakeLayer(row.type, row.attributes);
    ASSERT_TRUE(layer.ok()) << layer.status();
    const auto dtypes = (*layer)->InferDTypes(row.inputs, kFp32);
    std::string text = dtypes.ok() ? "" : std::string(Message(dtypes.status()));
    if (dtypes.ok()) {
      EXPECT_EQ(dtypes->size(), (*layer)->output_names().size()) << row.type;
      for (const DType dtype : *dtypes) {
        if (!text.empty()) text += ' ';
        text += Name(dtype);
      }
    }
    EXPECT_EQ(text, row.result) << row.type;
  }
}

// As INT64, what UINT64 has from 2^63 on would be negative.
TEST(Functions, OrderAndSignWantNumbersThatInt64Holds) {
  using enum DType;
  const auto result = [](const std::string& type, std::vector<DType> inputs,
                         const Attributes& attributes = {}) {
    const auto layer = MakeLayer(type, attributes);
    if (!layer.ok()) return std::string(Message(layer.status()));
    const auto dtypes = (*layer)->InferDTypes(inputs, kFp32);
    return dtypes.ok() ? std::string(Name(dtypes->front())) : std::string(Message(dtypes.status()));
  };
  const std::string refused = "wants a dtype whose numbers INT64 holds, got UINT64";
  for (const char* type :
       {"Maximum", "Minimum", "Gt", "Ge", "Lt", "Le", "FloorDivide", "Fmod", "Remainder", "Pow"}) {
    EXPECT_EQ(result(type, {kUint64, kUint64}), refused) << type;
    EXPECT_EQ(result(type, {kInt8, kUint64}), refused) << type;
    EXPECT_NE(result(type, {kUint64, kFp32}), refused) << type;
    EXPECT_NE(result(type, {kUint32, kInt64}), refused) << type;
  }
  for (const char* type :
       {"Abs", "Sign", "ReLU", "ReLU6", "Hardtanh", "Amax", "Amin", "Argmax", "Argmin", "Sort"}) {
    EXPECT_EQ(result(type, {kUint64}), refused) << type;
  }
  EXPECT_EQ(result("Maximum", {kUint64}, {Arg("other", 2.0)}), refused);
  EXPECT_EQ(result("Maximum", {kUint64}, {Arg("other", 2.5)}), "FP32");
  EXPECT_EQ(result("Div", {kUint64, kUint64}), "FP32");
  EXPECT_EQ(result("Div", {kUint64, kUint64}, {Arg("rounding_mode", "trunc")}), refused);
  EXPECT_EQ(result("Clamp", {kUint64}, {Arg("min", 1.0)}), refused);
  EXPECT_EQ(result("Clamp", {kUint64}, {Arg("min", 1.5)}), "FP32");
  EXPECT_EQ(result("Max", {kUint64}, {Arg("dim", 0)}), refused);
  EXPECT_EQ(result("Topk", {kUint64}, {Arg("k", 1)}), refused);
  EXPECT_EQ(result("Threshold", {kUint64}, {Arg("threshold", 1.0), Arg("value", 1.0)}), refused);

  for (const char* type : {"Add", "Sub", "Mul"}) {
    EXPECT_EQ(result(type, {kUint64, kUint64}), "UINT64") << type;
  }
  for (const char* type : {"Eq", "Ne", "LogicalAnd"}) {
    EXPECT_EQ(result(type, {kUint64, kUint64}), "BOOL") << type;
  }
  for (const char* type : {"Neg", "Square", "Floor"}) {
    EXPECT_EQ(result(type, {kUint64}), "UINT64") << type;
  }
  EXPECT_EQ(result("Pow", {kUint64}, {Arg("exponent", 3.0)}), "UINT64");
  EXPECT_EQ(result("Sum", {kUint64}), "INT64");
  EXPECT_EQ(result("Any", {kUint64}), "BOOL");
  EXPECT_EQ(result("Exp", {kUint64}), "FP32");
}

TEST(Functions, ANumberTakesThePlaceOfAnInput) {
  const auto arity = [](const char* type, const Attributes& attributes) {
    const auto layer = MakeLayer(type, attributes);
    LAZYNET_CHECK(layer.ok());
    return std::pair((*layer)->arity().least, (*layer)->arity().most);
  };
  EXPECT_EQ(arity("Add", {}), std::pair(2, -1));
  EXPECT_EQ(arity("Add", {Arg("alpha", 2.0)}), std::pair(2, 2));
  EXPECT_EQ(arity("Add", {Arg("other", 2.0)}), std::pair(1, 1));
  EXPECT_EQ(arity("Sub", {}), std::pair(2, 2));
  EXPECT_EQ(arity("Pow", {Arg("self", 2.0)}), std::pair(1, 1));
  EXPECT_EQ(arity("Where", {}), std::pair(3, 3));
  EXPECT_EQ(arity("Where", {Arg("input", 2.0)}), std::pair(2, 2));
  EXPECT_EQ(arity("Where", {Arg("input", 2.0), Arg("other", 3.0)}), std::pair(1, 1));
}

TEST(Functions, PrintTheirArguments) {
  const auto arguments = [](const char* type, const Attributes& attributes) {
    const auto layer = MakeLayer(type, attributes);
    LAZYNET_CHECK(layer.ok());
    return (*layer)->Arguments({});
  };
  EXPECT_EQ(arguments("Hardtanh", {}), "min_val=-1.0, max_val=1.0");
  EXPECT_EQ(arguments("Hardshrink", {}), "0.5");
  EXPECT_EQ(arguments("Add", {Arg("other", 2.0), Arg("alpha", 0.5)}), "other=2, alpha=0.5");
  EXPECT_EQ(arguments("Div", {Arg("other", 2.5), Arg("rounding_mode", "floor")}),
            "other=2.5, rounding_mode='floor'");
  EXPECT_EQ(arguments("Pow", {Arg("self", 2.0)}), "self=2");
  EXPECT_EQ(arguments("Clamp", {Arg("min", 0.0), Arg("max", 0.5)}), "min=0, max=0.5");
  EXPECT_EQ(arguments("Var", {PerAxis("dim", {1, 2})}), "dim=[1, 2], keepdim=False, correction=1");
  EXPECT_EQ(arguments("Topk", {Arg("k", 3)}), "k=3, dim=-1, largest=True");
}

}  // namespace
}  // namespace lazynet::nn
