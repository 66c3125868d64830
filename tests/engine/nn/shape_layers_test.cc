#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/nn/layer_registry.h"
#include "tests/support/definitions.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::PerAxis;

constexpr int64_t kAny = kUnknownDim;

// What a layer makes of shapes: those of its outputs, or the fault of the definition or the shapes.
std::string Result(const std::string& type, const Attributes& attributes,
                   const std::vector<Shape>& inputs, std::vector<DType> dtypes = {}) {
  const auto layer = MakeLayer(type, attributes);
  if (!layer.ok()) return std::string(Message(layer.status()));
  dtypes.resize(inputs.size(), DType::kFp32);
  const auto types = (*layer)->InferDTypes(dtypes, DType::kFp32);
  if (!types.ok()) return std::string(Message(types.status()));
  Sizes sizes;
  const auto shapes = (*layer)->Infer(inputs, sizes);
  if (!shapes.ok()) return std::string(Message(shapes.status()));
  std::string text;
  for (const Shape& shape : *shapes) text += shape.ToString();
  return text;
}

TEST(ShapeLayers, Reshape) {
  const auto to = [](const char* shape, const Shape& input) {
    return Result("Reshape", {Arg("shape", shape)}, {input});
  };
  EXPECT_EQ(to("dim(0), -1", {2, 3, 4}), "[2, 12]");
  EXPECT_EQ(to("-1", {2, 0}), "[0]");
  EXPECT_EQ(Result("Reshape", {}, {{1, 1}}), "[]");
  EXPECT_EQ(to("4, -1", {2, 3}), "wants sizes (4, -1) for the 6 elements of shape [2, 3]");
  EXPECT_EQ(to("4, 2", {2, 3}), "wants sizes (4, 2) for the 6 elements of shape [2, 3]");
  EXPECT_EQ(to("-1, -1", {2, 3}),
            "wants sizes (-1, -1) for the 6 elements of shape [2, 3]: only one -1 is possible");
  EXPECT_EQ(to("-2, 3", {2, 3}), "wants sizes (-2, 3) for the 6 elements of shape [2, 3]: got -2");
  EXPECT_EQ(to("0, -1", {0, 3}),
            "wants sizes (0, -1) for the 0 elements of shape [0, 3]: -1 may be any number");
  EXPECT_EQ(to("dim(2)", {2, 3}), "\"dim(2)\": wants a dim 2 of input 0, got shape [2, 3]");
}

TEST(ShapeLayers, ReshapeOfUnknownSizes) {
  const auto to = [](const char* shape, const Shape& input) {
    return Result("Reshape", {Arg("shape", shape)}, {input});
  };
  EXPECT_EQ(to("dim(0), -1", {kAny, 3, 4}), "[?, 12]");
  EXPECT_EQ(to("dim(-3), 2, -1", {kAny, 3, 4}), "[?, 2, 6]");
  EXPECT_EQ(to("-1, 12", {kAny, 3, 4}), "[?, 12]");
  EXPECT_EQ(to("dim(0), -1", {kAny, kAny, 4}), "[?, ?]");
  EXPECT_EQ(to("dim(1), -1", {2, kAny}), "[?, 2]");
  EXPECT_EQ(to("4, 3", {kAny, 6}), "[4, 3]");
  EXPECT_EQ(to("4, 3", {kAny, 5}), "wants sizes (4, 3) for the ? elements of shape [?, 5]");
  EXPECT_EQ(to("dim(0), 5, -1", {kAny, 3, 4}),
            "wants sizes (dim(0), 5, -1) for the 12 elements of shape [?, 3, 4]");
}

TEST(ShapeLayers, Unflatten) {
  const auto split = [](int dim, const char* sizes, const Shape& input) {
    return Result("Unflatten", {Arg("dim", dim), Arg("unflattened_size", sizes)}, {input});
  };
  EXPECT_EQ(split(-1, "2, -1", {5, 6}), "[5, 2, 3]");
  EXPECT_EQ(split(1, "2, -1", {5, kAny}), "[5, 2, ?]");
  EXPECT_EQ(split(1, "2, 2", {5, 6}), "wants sizes (2, 2) for the 6 elements of shape [6]");
  EXPECT_EQ(split(2, "2, 2", {5, 6}), "wants a rank that has dim 2, got shape [5, 6]");
  EXPECT_EQ(Result("Unflatten", {Arg("dim", 1)}, {{5, 6}}),
            "argument unflattened_size wants at least 1 size");
}

TEST(ShapeLayers, SqueezeAndUnsqueeze) {
  EXPECT_EQ(Result("Squeeze", {PerAxis("dim", {0, -1})}, {{1, 3, 2}}), "[3, 2]");
  EXPECT_EQ(Result("Squeeze", {PerAxis("dim", {1})}, {{2, kAny}}), "[2]");
  EXPECT_EQ(Result("Squeeze", {PerAxis("dim", {0, -2})}, {{1, 1}}),
            "wants each dim once, got (0, -2) in shape [1, 1]");
  EXPECT_EQ(Result("Squeeze", {}, {{1}}), "argument dim is missing");
  EXPECT_EQ(Result("Unsqueeze", {Arg("dim", -3)}, {{2, 3}}), "[1, 2, 3]");
  EXPECT_EQ(Result("Unsqueeze", {Arg("dim", 3)}, {{2, 3}}),
            "wants dim -3 to 2 for shape [2, 3], got 3");
}

TEST(ShapeLayers, Permutations) {
  EXPECT_EQ(Result("Permute", {PerAxis("dims", {0, -1, 1})}, {{2, 3, kAny}}), "[2, ?, 3]");
  EXPECT_EQ(Result("Permute", {PerAxis("dims", {0, 1})}, {{2, 3, 4}}),
            "wants a rank of 2, got shape [2, 3, 4]");
  EXPECT_EQ(Result("Permute", {PerAxis("dims", {0, 0})}, {{2, 3}}),
            "wants each dim once, got (0, 0) in shape [2, 3]");
  EXPECT_EQ(Result("Transpose", {Arg("dim0", 0), Arg("dim1", -1)}, {{2, 3, 4}}), "[4, 3, 2]");
  EXPECT_EQ(Result("Transpose", {Arg("dim0", 0), Arg("dim1", 2)}, {{2, 3}}),
            "wants a rank that has dim 2, got shape [2, 3]");
  EXPECT_EQ(Result("PixelShuffle", {Arg("upscale_factor", 3)}, {{1, 18, kAny, 2}}), "[1, 2, ?, 6]");
  EXPECT_EQ(Result("PixelShuffle", {Arg("upscale_factor", 3)}, {{1, 10, 2, 2}}),
            "wants channels divisible by 9, got 10");
  EXPECT_EQ(Result("PixelShuffle", {Arg("upscale_factor", 3)}, {{9, 2}}),
            "wants a rank of at least 3, got shape [9, 2]");
  EXPECT_EQ(Result("PixelUnshuffle", {Arg("downscale_factor", 2)}, {{3, 4, 5}}),
            "wants a width divisible by 2, got 5");
  EXPECT_EQ(Result("ChannelShuffle", {Arg("groups", 2)}, {{1, 3, 2}}),
            "wants channels divisible by 2, got 3");
  EXPECT_EQ(Result("Roll", {PerAxis("shifts", {1, 2}), PerAxis("dims", {0})}, {{2}}),
            "argument shifts wants a number for each dim, 1, got 2");
  EXPECT_EQ(Result("Flip", {PerAxis("dims", {2})}, {{2, 3}}),
            "wants a rank that has dim 2, got shape [2, 3]");
}

TEST(ShapeLayers, SliceAndSelect) {
  EXPECT_EQ(Result("Slice", {Arg("dim", 1), Arg("start", "-2")}, {{2, 5}}), "[2, 2]");
  EXPECT_EQ(Result("Slice", {Arg("start", "4"), Arg("end", "2")}, {{5}}), "[0]");
  EXPECT_EQ(Result("Slice", {Arg("end", "dim(0) // 2")}, {{kAny, 3}}), "[?, 3]");
  EXPECT_EQ(Result("Slice", {Arg("step", 0)}, {{5}}), "argument step wants 1 to 2147483647, got 0");
  EXPECT_EQ(Result("Slice", {Arg("start", "1, 2")}, {{5}}), "argument start wants 1 number, got 2");
  EXPECT_EQ(Result("Slice", {}, {{}}), "wants a rank of at least 1, got a scalar");
  EXPECT_EQ(Result("Select", {Arg("dim", 1), Arg("index", "-3")}, {{2, 3, 4}}), "[2, 4]");
  EXPECT_EQ(Result("Select", {Arg("dim", 0), Arg("index", "2")}, {{kAny, 4}}), "[4]");
  EXPECT_EQ(Result("Select", {Arg("dim", 0), Arg("index", "2")}, {{2, 3}}),
            "wants a dim 0 that has index 2, got shape [2, 3]");
}

TEST(ShapeLayers, Pieces) {
  EXPECT_EQ(Result("Chunk", {Arg("chunks", 3), Arg("dim", 1)}, {{2, 7}}), "[2, 3][2, 3][2, 1]");
  EXPECT_EQ(Result("Chunk", {Arg("chunks", 2)}, {{kAny}}), "[?][?]");
  EXPECT_EQ(Result("Chunk", {Arg("chunks", 4)}, {{6}}),
            "wants a dim 0 of 4 pieces of 2, got 3 from shape [6]");
  EXPECT_EQ(Result("Chunk", {Arg("chunks", 5000)}, {{6}}),
            "argument chunks wants at most 4096 pieces, got 5000");
  EXPECT_EQ(Result("Split", {Arg("split_size", "3"), Arg("count", 2)}, {{5}}), "[3][2]");
  EXPECT_EQ(Result("Split", {Arg("split_size", "1, dim(0) - 1")}, {{5}}), "[1][4]");
  EXPECT_EQ(Result("Split", {Arg("split_size", "1, 2")}, {{kAny}}), "[1][2]");
  EXPECT_EQ(Result("Split", {Arg("split_size", "3"), Arg("count", 3)}, {{5}}),
            "wants a dim 0 of 3 pieces of 3, got 2 from shape [5]");
  EXPECT_EQ(Result("Split", {Arg("split_size", "3")}, {{5}}),
            "argument count is missing: how many pieces one split_size makes");
  EXPECT_EQ(Result("Split", {Arg("split_size", "2, 2")}, {{5}}),
            "wants a dim 0 of (2, 2) in all, got shape [5]");
  EXPECT_EQ(Result("Split", {Arg("split_size", "6, -1")}, {{5}}),
            "wants sizes of at least 0, got -1 in (6, -1)");
  EXPECT_EQ(Result("Unbind", {Arg("count", 2), Arg("dim", -1)}, {{3, 2}}), "[3][3]");
  EXPECT_EQ(Result("Unbind", {Arg("count", 2)}, {{3, 2}}),
            "wants a dim 0 of size 2, got shape [3, 2]");
}

TEST(ShapeLayers, Repeats) {
  EXPECT_EQ(Result("Expand", {Arg("size", "4, -1, 3")}, {{2, 1}}), "[4, 2, 3]");
  EXPECT_EQ(Result("Expand", {Arg("size", "-1, 3")}, {{kAny, 1}}), "[?, 3]");
  EXPECT_EQ(Result("Expand", {Arg("size", "2, 4")}, {{2, 3}}),
            "wants a shape that stretches to (2, 4), got [2, 3]");
  EXPECT_EQ(Result("Expand", {Arg("size", "-1, 2")}, {{2}}),
            "wants a shape that stretches to (-1, 2), got [2]");
  EXPECT_EQ(Result("Expand", {Arg("size", "2147483647, 2147483647")}, {{1}}).substr(0, 15),
            "wants at most 1");
  EXPECT_EQ(Result("Repeat", {Arg("repeats", "2, 3")}, {{kAny}}), "[2, ?]");
  EXPECT_EQ(Result("Repeat", {Arg("repeats", "2")}, {{2, 3}}),
            "wants a rank of at most 1, got shape [2, 3]");
  EXPECT_EQ(Result("RepeatInterleave", {Arg("repeats", 2), Arg("dim", -1)}, {{2, 3}}), "[2, 6]");
}

TEST(ShapeLayers, Joins) {
  EXPECT_EQ(Result("Stack", {Arg("dim", 1)}, {{2, 3}, {2, 3}}), "[2, 2, 3]");
  EXPECT_EQ(Result("Stack", {}, {{2, kAny}, {2, 3}}), "[2, 2, 3]");
  EXPECT_EQ(Result("Stack", {}, {{2, 3}, {2, 4}}), "wants equal shapes, got [2, 3] and [2, 4]");
  EXPECT_EQ(Result("Concat", {Arg("dim", 1)}, {{0}, {2, 3}, {2, 1}}), "[2, 4]");
  EXPECT_EQ(Result("Concat", {}, {{}, {}}), "wants a rank of at least 1, got a scalar");
}

TEST(ShapeLayers, Indices) {
  const std::vector<DType> ids{DType::kFp32, DType::kInt64};
  EXPECT_EQ(Result("IndexSelect", {Arg("dim", 1)}, {{2, 3}, {5}}, ids), "[2, 5]");
  EXPECT_EQ(Result("IndexSelect", {Arg("dim", 1)}, {{2, 3}, {5, 1}}, ids),
            "wants an index of rank 1, got shape [5, 1]");
  EXPECT_EQ(Result("IndexSelect", {Arg("dim", 1)}, {{2, 3}, {5}}),
            "wants an index of dtype INT32 or INT64, got FP32");
  EXPECT_EQ(Result("Gather", {Arg("dim", 1)}, {{2, 3}, {1, 7}}, ids), "[1, 7]");
  EXPECT_EQ(Result("Gather", {Arg("dim", 1)}, {{2, 3}, {3, 3}}, ids),
            "wants an index no larger than [2, 3] but on dim 1, got [3, 3]");
  EXPECT_EQ(Result("Gather", {Arg("dim", 0)}, {{2}, {2}}, {DType::kFp32, DType::kInt32}),
            "wants an index of dtype INT64, got INT32");
  EXPECT_EQ(Result("Tril", {}, {{3}}), "wants a rank of at least 2, got shape [3]");
}

TEST(ShapeLayers, Patches) {
  const Attributes two{PerAxis("kernel_size", {2})};
  EXPECT_EQ(Result("Unfold", two, {{1, 3, 4, 5}}), "[1, 12, 12]");
  EXPECT_EQ(Result("Unfold", two, {{1, 3, kAny, 5}}), "[1, 12, ?]");
  EXPECT_EQ(Result("Unfold", two, {{1, 3, 1, 5}}),
            "wants an input of at least 2 where the kernel spans 2, got 1 + 0 of padding");
  const Attributes fold{PerAxis("output_size", {3, 4}), PerAxis("kernel_size", {2})};
  EXPECT_EQ(Result("Fold", fold, {{1, 8, 6}}), "[1, 2, 3, 4]");
  EXPECT_EQ(Result("Fold", fold, {{1, 8, 5}}), "wants 6 windows, got shape [1, 8, 5]");
  EXPECT_EQ(Result("Fold", fold, {{7, 6}}),
            "wants a dim -2 divisible by the kernel's 4 elements, got shape [7, 6]");
}

// Of each of these the product of the windows along both axes is a number within bounds once it has
// overflowed, or -1.
TEST(ShapeLayers, PatchesBeyondBounds) {
  const auto unfold = [](std::vector<int64_t> padding, const Shape& input) {
    return Result("Unfold", {PerAxis("kernel_size", {1}), PerAxis("padding", std::move(padding))},
                  {input});
  };
  EXPECT_EQ(unfold({2147483647, 2147450880}, {1, 1, 65538, 1}),
            "wants dims from 0 to 2147483647, got 4295032832 in [4295032832]");
  EXPECT_EQ(unfold({2147483647}, {1, 1, 3, 1}),
            "wants dims from 0 to 2147483647, got 4294967297 in [4294967297]");
  EXPECT_EQ(unfold({2147483647}, {1, 1, 2, 2}),
            "wants dims from 0 to 2147483647, got 4294967296 in [4294967296]");
  // Whatever the input: a network that has it is refused for that.
  for (const Shape& input : {Shape{1, 1, 65536}, Shape{}}) {
    EXPECT_EQ(Result("Fold",
                     {PerAxis("output_size", {65538, 1}), PerAxis("kernel_size", {1}),
                      PerAxis("padding", {2147483647, 2147450880})},
                     {input}),
              "wants dims from 0 to 2147483647, got 4295032832 in [4295032832]");
  }
}

TEST(ShapeLayers, Pads) {
  EXPECT_EQ(Result("ConstantPad2d", {PerAxis("padding", {1, 2, 0, -1})}, {{3, 4}}), "[2, 7]");
  EXPECT_EQ(Result("ConstantPad1d", {PerAxis("padding", {1})}, {{3, kAny}}), "[3, ?]");
  EXPECT_EQ(Result("ConstantPad1d", {PerAxis("padding", {-3, 2})}, {{2}}),
            "wants padding (-3, 2) to leave a size of at least 0, got shape [2]");
  EXPECT_EQ(Result("ConstantPad2d", {PerAxis("padding", {1, 2})}, {{3, 4}}),
            "argument padding wants 1 or 4 numbers, got 2");
  EXPECT_EQ(Result("ReflectionPad1d", {PerAxis("padding", {2})}, {{3, 2}}),
            "mode reflect wants padding below the size 2, got 2 for shape [3, 2]");
  EXPECT_EQ(Result("CircularPad1d", {PerAxis("padding", {3})}, {{3, 2}}),
            "mode circular wants padding within what is left of the axis, 2, got 3 for shape "
            "[3, 2]");
  EXPECT_EQ(Result("ReplicationPad1d", {PerAxis("padding", {-1})}, {{3, 2}}),
            "wants padding (-1, -1) to leave a size of at least 1, got shape [3, 2]");
  EXPECT_EQ(Result("ReplicationPad2d", {PerAxis("padding", {1})}, {{3, 2}}),
            "wants a rank of 3 (unbatched) or 4, got shape [3, 2]");
  EXPECT_EQ(Result("Pad", {PerAxis("pad", {1, 1, 1})}, {{3, 2}}),
            "argument pad wants an even number of at most 24 numbers, got 3");
  EXPECT_EQ(Result("Pad", {PerAxis("pad", {1, 1}), Arg("mode", "edge")}, {{3, 2}}),
            "argument mode wants constant, reflect, replicate or circular, got edge");
}

TEST(ShapeLayers, PadsHoldTheirValue) {
  const auto pads = [](double value, DType dtype, const char* mode = "constant") {
    return Result("Pad", {PerAxis("pad", {1, 1}), Arg("value", value), Arg("mode", mode)},
                  {{1, 1, 3}}, {dtype});
  };
  EXPECT_EQ(pads(255, DType::kUint8), "[1, 1, 5]");
  EXPECT_EQ(pads(-1, DType::kUint8), "wants a value that UINT8 holds, got -1");
  EXPECT_EQ(pads(127.5, DType::kInt8), "wants a value that INT8 holds, got 127.5");
  EXPECT_EQ(pads(-128, DType::kInt8), "[1, 1, 5]");
  EXPECT_EQ(pads(0x1p63, DType::kInt64),
            "wants a value that INT64 holds, got 9.223372036854776e+18");
  EXPECT_EQ(pads(65536, DType::kFp16), "wants a value that FP16 holds, got 65536");
  EXPECT_EQ(pads(-1, DType::kBool), "[1, 1, 5]");
  EXPECT_EQ(pads(300, DType::kUint8, "replicate"), "[1, 1, 5]");
}

// A circle is closed behind the crop; reflect and replicate are cropped behind the padding.
TEST(ShapeLayers, PadsWithACroppedEnd) {
  const auto pads = [](const char* mode, std::vector<int64_t> pad) {
    return Result("Pad", {PerAxis("pad", std::move(pad)), Arg("mode", mode)}, {{1, 1, 5}});
  };
  EXPECT_EQ(pads("circular", {5, -3}),
            "mode circular wants padding within what is left of the axis, 2, got 5 for shape "
            "[1, 1, 5]");
  EXPECT_EQ(pads("circular", {-3, 5}),
            "mode circular wants padding within what is left of the axis, 2, got 5 for shape "
            "[1, 1, 5]");
  EXPECT_EQ(pads("circular", {7, -6}),
            "mode circular wants padding within what is left of the axis, 0, got 7 for shape "
            "[1, 1, 5]");
  EXPECT_EQ(pads("circular", {2, -3}), "[1, 1, 4]");
  EXPECT_EQ(pads("circular", {-3, -2}), "[1, 1, 0]");
  EXPECT_EQ(pads("reflect", {4, -8}), "[1, 1, 1]");
  EXPECT_EQ(pads("reflect", {5, -3}),
            "mode reflect wants padding below the size 5, got 5 for shape [1, 1, 5]");
  EXPECT_EQ(pads("replicate", {7, -6}), "[1, 1, 6]");
  EXPECT_EQ(pads("replicate", {2147483647, -2147483647}),
            "wants dims from 0 to 2147483647, got 2147483652 in [1, 1, 2147483652]");
}

std::pair<std::string, AttributeValue> Factors(std::vector<double> factors) {
  return {"scale_factor", std::move(factors)};
}

TEST(ShapeLayers, Resampling) {
  EXPECT_EQ(Result("Upsample", {Factors({1.5})}, {{1, 2, 7, kAny}}), "[1, 2, 10, ?]");
  EXPECT_EQ(Result("Upsample", {Arg("size", "3"), Arg("mode", "linear")}, {{1, 2, 7}}),
            "[1, 2, 3]");
  EXPECT_EQ(Result("Upsample", {Arg("size", "3"), Arg("mode", "linear")}, {{1, 2, 7, 7}}),
            "mode linear wants a rank of 3, got shape [1, 2, 7, 7]");
  EXPECT_EQ(Result("Upsample", {}, {{1, 2, 7}}), "wants one of size and scale_factor, got none");
  EXPECT_EQ(Result("Upsample", {Arg("size", "3"), Factors({2})}, {{1, 2, 7}}),
            "wants one of size and scale_factor, got both");
  EXPECT_EQ(Result("Upsample", {Factors({0.1})}, {{1, 2, 7}}),
            "wants spatial dims of at least 1, got 0 from shape [1, 2, 7]");
  EXPECT_EQ(Result("Upsample", {Factors({2, 2})}, {{1, 2, 7}}),
            "wants a shape of 2 spatial dims for 2 numbers, got [1, 2, 7]");
  EXPECT_EQ(Result("Upsample", {Factors({2}), Arg("align_corners", false)}, {{1, 2, 7}}),
            "mode nearest wants no align_corners");
  EXPECT_EQ(Result("Upsample", {Factors({2}), Arg("antialias", true)}, {{1, 2, 7}}),
            "antialias wants mode bilinear or bicubic, got nearest");
  EXPECT_EQ(Result("Upsample", {Factors({2}), Arg("mode", "cubic")}, {{1, 2, 7}}),
            "argument mode wants nearest, nearest-exact, linear, bilinear, bicubic, trilinear or "
            "area, got cubic");
  EXPECT_EQ(Result("UpsamplingNearest2d", {Factors({2})}, {{1, 2, 7}}),
            "mode nearest wants a rank of 4, got shape [1, 2, 7]");
  EXPECT_EQ(
      Result("Upsample", {Factors({2}), Arg("mode", "bilinear")}, {{1, 2, 7, 7}}, {DType::kInt64}),
      "wants a floating dtype, got INT64");
}

TEST(ShapeLayers, PoolsAndLocalResponseNorm) {
  EXPECT_EQ(Result("AdaptiveMaxPool2d", {PerAxis("output_size", {-1, 3})}, {{2, 5, 7}}),
            "[2, 5, 3]");
  const Attributes lp{Arg("norm_type", 2.0), PerAxis("kernel_size", {2})};
  EXPECT_EQ(Result("LPPool1d", lp, {{2, 5}}), "[2, 2]");
  EXPECT_EQ(Result("LPPool1d", {PerAxis("kernel_size", {2})}, {{2, 5}}),
            "argument norm_type is missing");
  EXPECT_EQ(Result("LocalResponseNorm", {Arg("size", 2)}, {{2, 5}}),
            "wants a rank of at least 3, got shape [2, 5]");
}

}  // namespace
}  // namespace lazynet::nn
