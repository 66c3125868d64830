#include <gmock/gmock.h>

#include <vector>

#include "engine/init/named_initializers.h"
#include "tests/engine/init/goldens.h"
#include "tests/engine/init/initializer_json.h"

namespace lazynet::init {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

std::vector<double> ValuesOf(const Tensor& tensor) {
  if (tensor.dtype() == DType::kFp64) {
    const auto values = tensor.values<double>();
    return {values.begin(), values.end()};
  }
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

// The goldens' BLAS and ours may add in another order: some units of the last place of values up to
// 1, more where a column is the small rest of others, as in square matrices.
void ExpectNear(const Tensor& tensor, const Json& golden, const std::string& where) {
  const double tolerance = tensor.dtype() == DType::kFp64 ? 1e-12 : 1e-5;
  EXPECT_THAT(ValuesOf(tensor),
              Pointwise(DoubleNear(tolerance), golden["values"].get<std::vector<double>>()))
      << where;
}

TEST(NamedInitializers, LeaveTheBitsOfPyTorch) {
  const Json goldens = ReadJson(kTorchGoldens);
  ASSERT_EQ(goldens["initializers"].size(), 8u);
  for (const Json& sequence : goldens["initializers"]) {
    const DType dtype = *ParseDType(sequence["dtype"].get<std::string>());
    Generator generator(SeedOf(sequence));
    for (const Json& step : sequence["steps"]) {
      const std::string where = fmt::format("{} {}", Name(dtype), step.dump());
      Tensor tensor = Allocate(dtype, ShapeOf(step));
      ASSERT_EQ(Initialize(InitializerOf(step), generator, tensor.mutable_view()), absl::OkStatus())
          << where;
      if (step.contains("values")) {
        ExpectNear(tensor, step, where);
      } else if (!IsMachineDependent(dtype, step["init"].get<std::string>().ends_with("normal"))) {
        ExpectGolden(tensor, step, where);
      }
    }
    EXPECT_EQ(NextOf(generator), sequence["next"]) << sequence["dtype"] << sequence["seed"];
  }
}

TEST(NamedInitializers, SkipToWhereADrawWouldLeaveTheStream) {
  const Json goldens = ReadJson(kTorchGoldens);
  for (const Json& sequence : goldens["initializers"]) {
    const DType dtype = *ParseDType(sequence["dtype"].get<std::string>());
    Generator generator(SeedOf(sequence));
    Generator drawn(SeedOf(sequence));
    for (const Json& step : sequence["steps"]) {
      const Initializer initializer = InitializerOf(step);
      Tensor tensor = Allocate(dtype, ShapeOf(step));
      ASSERT_EQ(SkipInitializer(initializer, generator, dtype, tensor.shape()), absl::OkStatus());
      ASSERT_EQ(Initialize(initializer, drawn, tensor.mutable_view()), absl::OkStatus());
      ASSERT_EQ(generator.words(), drawn.words()) << step;
      ASSERT_EQ(Generator(generator).TakeCachedNormal(), Generator(drawn).TakeCachedNormal())
          << step;
    }
    EXPECT_EQ(NextOf(generator), sequence["next"]) << sequence["dtype"] << sequence["seed"];
  }
}

}  // namespace
}  // namespace lazynet::init
