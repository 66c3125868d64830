#include "engine/init/named_initializers.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lazynet::init {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<float> Initialized(const Initializer& initializer, const Shape& shape) {
  Generator generator(0);
  Tensor tensor = *Tensor::Allocate(DType::kFp32, shape);
  EXPECT_EQ(Initialize(initializer, generator, tensor.mutable_view()), absl::OkStatus());
  const std::span<const float> values = tensor.values<float>();
  return {values.begin(), values.end()};
}

TEST(NamedInitializers, EyeIsTheIdentity) {
  EXPECT_THAT(Initialized(EyeInitializer{}, Shape{2, 3}), ElementsAre(1, 0, 0, 0, 1, 0));
  EXPECT_THAT(Initialized(EyeInitializer{}, Shape{3, 2}), ElementsAre(1, 0, 0, 1, 0, 0));
}

TEST(NamedInitializers, DiracPassesInputsOnInEachGroup) {
  EXPECT_THAT(Initialized(DiracInitializer{}, Shape{3, 2, 3}), ElementsAre(0, 1, 0, 0, 0, 0,  //
                                                                           0, 0, 0, 0, 1, 0,  //
                                                                           0, 0, 0, 0, 0, 0));
  EXPECT_THAT(Initialized(DiracInitializer{.groups = 2}, Shape{4, 1, 2}),
              ElementsAre(0, 1, 0, 0, 0, 1, 0, 0));
  EXPECT_THAT(Initialized(DiracInitializer{}, Shape{1, 1, 2, 3}), ElementsAre(0, 0, 0, 0, 1, 0));
}

TEST(NamedInitializers, TruncatedNormalStaysBetweenItsBounds) {
  const TruncatedNormalInitializer initializer{.mean = 0.5, .std = 2.0, .a = -1.0, .b = 1.0};
  EXPECT_THAT(Initialized(initializer, Shape{10000}),
              Each(testing::AllOf(testing::Ge(-1.0f), testing::Le(1.0f))));
}

void ExpectOrthogonal(const Shape& shape, double gain) {
  const std::vector<float> values = Initialized(OrthogonalInitializer{gain}, shape);
  const auto rows = static_cast<size_t>(shape.dim(0));
  const size_t cols = values.size() / rows;
  const bool wide = rows < cols;
  const auto at = [&](size_t vector, size_t i) {
    return double{wide ? values[vector * cols + i] : values[i * cols + vector]};
  };
  for (size_t a = 0; a < std::min(rows, cols); ++a) {
    for (size_t b = 0; b <= a; ++b) {
      double product = 0.0;
      for (size_t i = 0; i < std::max(rows, cols); ++i) product += at(a, i) * at(b, i);
      ASSERT_NEAR(product, a == b ? gain * gain : 0.0, 1e-5) << shape.ToString() << a << ' ' << b;
    }
  }
}

// Sizes below and above LAPACK's blocks of 32 columns.
TEST(NamedInitializers, OrthogonalVectorsAreOrthogonalAndOfTheGainsLength) {
  for (const Shape& shape : {Shape{1, 1}, Shape{2, 7}, Shape{7, 2}, Shape{33, 33},
                             Shape{40, 5, 3, 3}, Shape{200, 70}, Shape{1, 50}, Shape{50, 1}}) {
    ExpectOrthogonal(shape, 1.0);
    ExpectOrthogonal(shape, -1.5);
  }
}

TEST(NamedInitializers, TakeEmptyTensors) {
  for (const Initializer& initializer :
       {Initializer(XavierUniformInitializer{}), Initializer(XavierNormalInitializer{}),
        Initializer(KaimingUniformInitializer{}), Initializer(KaimingNormalInitializer{}),
        Initializer(OrthogonalInitializer{}), Initializer(EyeInitializer{})}) {
    for (const Shape& shape : {Shape{0, 0}, Shape{0, 3}, Shape{3, 0}}) {
      Generator generator(0);
      EXPECT_EQ(Initialize(initializer, generator, {DType::kFp32, shape, nullptr}),
                absl::OkStatus());
      EXPECT_EQ(generator.words(), 0u);
    }
  }
  EXPECT_EQ(CheckInitializer(DiracInitializer{}, DType::kFp32, Shape{0, 2, 0}), absl::OkStatus());
}

TEST(NamedInitializers, TakeConstantsThatAreNoNumbers) {
  EXPECT_THAT(Initialized(ConstantInitializer{-kInfinity}, Shape{2}), Each(-kInfinity));
  EXPECT_THAT(Initialized(ConstantInitializer{std::nan("")}, Shape{2}), Each(testing::IsNan()));
}

std::string ErrorOf(const Initializer& initializer, const Shape& shape,
                    DType dtype = DType::kFp32) {
  const absl::Status status = CheckInitializer(initializer, dtype, shape);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(Message(status));
}

TEST(NamedInitializers, RefuseRanks) {
  EXPECT_EQ(ErrorOf(XavierUniformInitializer{}, Shape{3}),
            "xavier_uniform: wants a rank of at least 2, got shape [3]");
  EXPECT_EQ(ErrorOf(XavierNormalInitializer{}, Shape{}),
            "xavier_normal: wants a rank of at least 2, got shape []");
  EXPECT_EQ(ErrorOf(KaimingUniformInitializer{}, Shape{3}),
            "kaiming_uniform: wants a rank of at least 2, got shape [3]");
  EXPECT_EQ(ErrorOf(KaimingNormalInitializer{}, Shape{3}),
            "kaiming_normal: wants a rank of at least 2, got shape [3]");
  EXPECT_EQ(ErrorOf(OrthogonalInitializer{}, Shape{3}),
            "orthogonal: wants a rank of at least 2, got shape [3]");
  EXPECT_EQ(ErrorOf(EyeInitializer{}, Shape{3, 3, 3}),
            "eye: wants a rank of 2, got shape [3, 3, 3]");
  EXPECT_EQ(ErrorOf(DiracInitializer{}, Shape{3, 3}),
            "dirac: wants a rank from 3 to 5, got shape [3, 3]");
  EXPECT_EQ(ErrorOf(DiracInitializer{}, Shape{3, 3, 1, 1, 1, 1}),
            "dirac: wants a rank from 3 to 5, got shape [3, 3, 1, 1, 1, 1]");
}

TEST(NamedInitializers, RefuseShapes) {
  EXPECT_EQ(ErrorOf(DiracInitializer{.groups = 2}, Shape{3, 1, 1}),
            "dirac: wants a dim 0 that 2 groups divide, got shape [3, 1, 1]");
  EXPECT_EQ(ErrorOf(DiracInitializer{.groups = 0}, Shape{3, 1, 1}),
            "dirac: wants groups >= 1, got 0");
  EXPECT_EQ(ErrorOf(OrthogonalInitializer{}, Shape{2, 65536, 65536}),
            "orthogonal: wants at most 2147483647 elements in a row, got shape [2, 65536, 65536]");
}

// 4 * 6300 * 6300^2 is above 10^12; neither time nor memory was spent before it is refused.
TEST(NamedInitializers, RefuseWhatOrthogonalCosts) {
  const absl::Status status = CheckInitializer(OrthogonalInitializer{}, DType::kFp32, {6300, 6300});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Message(status),
            "orthogonal: wants at most 1000000000000 operations, got 1000188000000 for shape "
            "[6300, 6300]");
  EXPECT_TRUE(CheckInitializer(OrthogonalInitializer{}, DType::kFp32, {6299, 6299}).ok());
  EXPECT_FALSE(CheckInitializer(OrthogonalInitializer{}, DType::kFp32, {6300, 100, 63}).ok());
  EXPECT_TRUE(CheckInitializer(OrthogonalInitializer{}, DType::kFp32, {1 << 30, 2}).ok());
  EXPECT_TRUE(CheckInitializer(OrthogonalInitializer{}, DType::kFp32, {0, 1 << 30}).ok());
}

TEST(NamedInitializers, RefuseTypes) {
  EXPECT_EQ(ErrorOf(ConstantInitializer{}, Shape{}, DType::kInt64),
            "constant: wants FP16, BF16, FP32 or FP64, got INT64");
  EXPECT_EQ(ErrorOf(TruncatedNormalInitializer{}, Shape{2}, DType::kFp16),
            "trunc_normal: wants BF16, FP32 or FP64, got FP16");
  EXPECT_EQ(ErrorOf(OrthogonalInitializer{}, Shape{2, 2}, DType::kBf16),
            "orthogonal: wants FP32 or FP64, got BF16");
}

TEST(NamedInitializers, RefuseNumbers) {
  const Shape shape{2, 2};
  EXPECT_EQ(ErrorOf(UniformInitializer{1.0, 0.0}, shape), "uniform: wants a <= b, got a 1 and b 0");
  EXPECT_EQ(ErrorOf(UniformInitializer{std::nan(""), 0.0}, shape, DType::kFp16),
            "uniform: wants a from -65504 to 65504 for FP16, got nan");
  EXPECT_EQ(ErrorOf(UniformInitializer{-40000.0, 40000.0}, shape, DType::kFp16),
            "uniform: wants b - a from -65504 to 65504 for FP16, got 80000");
  EXPECT_EQ(ErrorOf(UniformInitializer{-1e308, 1e308}, shape, DType::kFp64),
            "uniform: wants b - a from -1.7976931348623157e+308 to 1.7976931348623157e+308 for "
            "FP64, got inf");
  EXPECT_EQ(ErrorOf(NormalInitializer{0.0, -1.0}, shape), "normal: wants std >= 0, got -1");
  EXPECT_EQ(ErrorOf(NormalInitializer{1e6, 1.0}, shape, DType::kFp16),
            "normal: wants mean from -65504 to 65504 for FP16, got 1000000");
  EXPECT_EQ(ErrorOf(TruncatedNormalInitializer{.std = 0.0}, shape),
            "trunc_normal: wants std > 0, got 0");
  EXPECT_EQ(ErrorOf(TruncatedNormalInitializer{.a = 2.0, .b = 1.0}, shape),
            "trunc_normal: wants a <= b, got a 2 and b 1");
  EXPECT_EQ(ErrorOf(XavierUniformInitializer{-1.0}, shape),
            "xavier_uniform: wants gain >= 0, got -1");
  EXPECT_EQ(ErrorOf(XavierNormalInitializer{1e39}, Shape{1, 1}),
            "xavier_normal: wants std from -3.4028234663852886e+38 to 3.4028234663852886e+38 for "
            "FP32, got 1e+39");
  EXPECT_EQ(ErrorOf(KaimingNormalInitializer{.negative_slope = 1e200}, shape),
            "kaiming_normal: wants a finite square of a, got a 1e+200");
  EXPECT_EQ(ErrorOf(ConstantInitializer{65505.0}, shape, DType::kFp16),
            "constant: wants val from -65504 to 65504 for FP16, got 65505");
  EXPECT_EQ(ErrorOf(OrthogonalInitializer{kInfinity}, shape, DType::kFp64),
            "orthogonal: wants gain from -1.7976931348623157e+308 to 1.7976931348623157e+308 for "
            "FP64, got inf");
}

TEST(NamedInitializers, DrawNothingAfterAnError) {
  Generator generator(0);
  float value = 7.0f;
  const MutableTensorView scalar{DType::kFp32, Shape{}, reinterpret_cast<std::byte*>(&value)};
  EXPECT_FALSE(Initialize(UniformInitializer{1.0, 0.0}, generator, scalar).ok());
  EXPECT_FALSE(SkipInitializer(OrthogonalInitializer{}, generator, DType::kFp32, Shape{3}).ok());
  EXPECT_EQ(generator.words(), 0u);
  EXPECT_EQ(value, 7.0f);
}

TEST(Gain, HasPyTorchsValues) {
  EXPECT_EQ(Gain(Nonlinearity::kLinear), 1.0);
  EXPECT_EQ(Gain(Nonlinearity::kSigmoid), 1.0);
  EXPECT_EQ(Gain(Nonlinearity::kTanh), 5.0 / 3.0);
  EXPECT_EQ(Gain(Nonlinearity::kRelu), std::sqrt(2.0));
  EXPECT_EQ(Gain(Nonlinearity::kLeakyRelu), std::sqrt(2.0 / 1.0001));
  EXPECT_EQ(Gain(Nonlinearity::kLeakyRelu, 1.0), 1.0);
  EXPECT_EQ(Gain(Nonlinearity::kSelu), 0.75);
}

TEST(Gain, KnowsNoOtherNames) {
  EXPECT_EQ(ParseNonlinearity("conv_transpose2d"), Nonlinearity::kLinear);
  EXPECT_EQ(ParseNonlinearity("leaky_relu"), Nonlinearity::kLeakyRelu);
  EXPECT_EQ(ParseNonlinearity("ReLU"), std::nullopt);
  EXPECT_EQ(ParseNonlinearity("gelu"), std::nullopt);
}

}  // namespace
}  // namespace lazynet::init
