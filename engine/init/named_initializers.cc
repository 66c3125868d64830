#include "engine/init/named_initializers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "engine/init/distributions.h"
#include "engine/init/initializers.h"
#include "engine/init/orthogonal.h"

namespace lazynet::init {
namespace {

struct NameOf {
  std::string_view operator()(const ConstantInitializer&) const { return "constant"; }
  std::string_view operator()(const UniformInitializer&) const { return "uniform"; }
  std::string_view operator()(const NormalInitializer&) const { return "normal"; }
  std::string_view operator()(const TruncatedNormalInitializer&) const { return "trunc_normal"; }
  std::string_view operator()(const XavierUniformInitializer&) const { return "xavier_uniform"; }
  std::string_view operator()(const XavierNormalInitializer&) const { return "xavier_normal"; }
  std::string_view operator()(const KaimingUniformInitializer&) const { return "kaiming_uniform"; }
  std::string_view operator()(const KaimingNormalInitializer&) const { return "kaiming_normal"; }
  std::string_view operator()(const OrthogonalInitializer&) const { return "orthogonal"; }
  std::string_view operator()(const EyeInitializer&) const { return "eye"; }
  std::string_view operator()(const DiracInitializer&) const { return "dirac"; }
};

double MaxOf(DType dtype) {
  switch (dtype) {
    case DType::kFp16:
      return 65504.0;
    case DType::kBf16:
      return 0x1.FEp127;
    case DType::kFp32:
      return std::numeric_limits<float>::max();
    default:
      return std::numeric_limits<double>::max();
  }
}

absl::Status CheckRange(std::string_view name, double value, DType dtype) {
  const double max = MaxOf(dtype);
  if (std::abs(value) <= max) return absl::OkStatus();
  return InvalidArgument("wants {} from {} to {} for {}, got {}", name, -max, max, Name(dtype),
                         value);
}

absl::Status CheckInterval(double a, double b, DType dtype) {
  RETURN_IF_ERROR(CheckRange("a", a, dtype));
  RETURN_IF_ERROR(CheckRange("b", b, dtype));
  if (a <= b) return absl::OkStatus();
  return InvalidArgument("wants a <= b, got a {} and b {}", a, b);
}

// Some minutes of one thread.
constexpr double kMaxOrthogonalOperations = 1e12;

absl::Status CheckRank(const Shape& shape) {
  if (shape.rank() >= 2) return absl::OkStatus();
  return InvalidArgument("wants a rank of at least 2, got shape {}", shape.ToString());
}

// What an initializer comes to for one shape.
using Recipe = std::variant<ConstantInitializer, UniformInitializer, NormalInitializer,
                            TruncatedNormalInitializer, OrthogonalInitializer, EyeInitializer,
                            DiracInitializer>;

UniformInitializer Symmetric(double std) {
  const double bound = UniformBound(std);
  return {.a = -bound, .b = bound};
}

// Evaluates the formulas of xavier and kaiming; the rest is its own recipe.
struct RecipeFor {
  const Shape& shape;

  absl::StatusOr<Recipe> operator()(const XavierUniformInitializer& xavier) const {
    ASSIGN_OR_RETURN(const double std, StdOfXavier(xavier.gain));
    return Symmetric(std);
  }
  absl::StatusOr<Recipe> operator()(const XavierNormalInitializer& xavier) const {
    ASSIGN_OR_RETURN(const double std, StdOfXavier(xavier.gain));
    return NormalInitializer{.std = std};
  }
  absl::StatusOr<Recipe> operator()(const KaimingUniformInitializer& kaiming) const {
    ASSIGN_OR_RETURN(const double std, StdOfKaiming(kaiming));
    return Symmetric(std);
  }
  absl::StatusOr<Recipe> operator()(const KaimingNormalInitializer& kaiming) const {
    ASSIGN_OR_RETURN(const double std, StdOfKaiming(kaiming));
    return NormalInitializer{.std = std};
  }
  template <typename Plain>
  absl::StatusOr<Recipe> operator()(const Plain& plain) const {
    return plain;
  }

 private:
  absl::StatusOr<double> StdOfXavier(double gain) const {
    RETURN_IF_ERROR(CheckRank(shape));
    if (!(gain >= 0.0)) return InvalidArgument("wants gain >= 0, got {}", gain);
    return XavierStd(gain, FanIn(shape), FanOut(shape));
  }

  template <typename Kaiming>
  absl::StatusOr<double> StdOfKaiming(const Kaiming& kaiming) const {
    RETURN_IF_ERROR(CheckRank(shape));
    if (!std::isfinite(kaiming.negative_slope * kaiming.negative_slope)) {
      return InvalidArgument("wants a finite square of a, got a {}", kaiming.negative_slope);
    }
    return KaimingStd(Gain(kaiming.nonlinearity, kaiming.negative_slope),
                      kaiming.mode == FanMode::kFanIn ? FanIn(shape) : FanOut(shape));
  }
};

struct CheckFor {
  DType dtype;
  const Shape& shape;

  absl::Status operator()(const ConstantInitializer& constant) const {
    if (!std::isfinite(constant.value)) return absl::OkStatus();
    return CheckRange("val", constant.value, dtype);
  }

  absl::Status operator()(const UniformInitializer& uniform) const {
    RETURN_IF_ERROR(CheckInterval(uniform.a, uniform.b, dtype));
    return CheckRange("b - a", uniform.b - uniform.a, dtype);
  }

  absl::Status operator()(const NormalInitializer& normal) const {
    RETURN_IF_ERROR(CheckRange("mean", normal.mean, dtype));
    RETURN_IF_ERROR(CheckRange("std", normal.std, dtype));
    if (normal.std >= 0.0) return absl::OkStatus();
    return InvalidArgument("wants std >= 0, got {}", normal.std);
  }

  absl::Status operator()(const TruncatedNormalInitializer& normal) const {
    if (dtype == DType::kFp16) return InvalidArgument("wants BF16, FP32 or FP64, got FP16");
    RETURN_IF_ERROR(CheckRange("mean", normal.mean, dtype));
    RETURN_IF_ERROR(CheckRange("sqrt(2) * std", normal.std * std::sqrt(2.0), dtype));
    if (normal.std <= 0.0) return InvalidArgument("wants std > 0, got {}", normal.std);
    return CheckInterval(normal.a, normal.b, dtype);
  }

  absl::Status operator()(const OrthogonalInitializer& orthogonal) const {
    if (dtype != DType::kFp32 && dtype != DType::kFp64) {
      return InvalidArgument("wants FP32 or FP64, got {}", Name(dtype));
    }
    RETURN_IF_ERROR(CheckRank(shape));
    const int64_t rows = shape.dim(0);
    if (rows > 0 && shape.num_elements() / rows > kMaxDim) {
      return InvalidArgument("wants at most {} elements in a row, got shape {}", kMaxDim,
                             shape.ToString());
    }
    RETURN_IF_ERROR(CheckCost(rows, rows > 0 ? shape.num_elements() / rows : 0));
    return CheckRange("gain", orthogonal.gain, dtype);
  }

  absl::Status operator()(const EyeInitializer& /*eye*/) const {
    if (shape.rank() == 2) return absl::OkStatus();
    return InvalidArgument("wants a rank of 2, got shape {}", shape.ToString());
  }

  absl::Status operator()(const DiracInitializer& dirac) const {
    if (shape.rank() < 3 || shape.rank() > 5) {
      return InvalidArgument("wants a rank from 3 to 5, got shape {}", shape.ToString());
    }
    if (dirac.groups < 1) return InvalidArgument("wants groups >= 1, got {}", dirac.groups);
    if (shape.dim(0) % dirac.groups == 0) return absl::OkStatus();
    return InvalidArgument("wants a dim 0 that {} groups divide, got shape {}", dirac.groups,
                           shape.ToString());
  }

 private:
  // See Orthogonal in orthogonal.h.
  absl::Status CheckCost(int64_t rows, int64_t cols) const {
    const auto least = static_cast<double>(std::min(rows, cols));
    const auto most = static_cast<double>(std::max(rows, cols));
    const double operations = 4.0 * most * least * least;
    if (operations <= kMaxOrthogonalOperations) return absl::OkStatus();
    return ResourceExhausted("wants at most {} operations, got {} for shape {}",
                             kMaxOrthogonalOperations, operations, shape.ToString());
  }
};

void SetOne(const MutableTensorView& dst, int64_t index) {
  const auto step = static_cast<int64_t>(SizeOf(dst.dtype));
  Fill(1.0, {dst.dtype, Shape{}, dst.data + index * step});
}

struct DrawInto {
  Generator& generator;
  const MutableTensorView& dst;

  absl::Status operator()(const ConstantInitializer& constant) const {
    Fill(constant.value, dst);
    return absl::OkStatus();
  }
  absl::Status operator()(const UniformInitializer& uniform) const {
    Uniform(generator, uniform.a, uniform.b, dst);
    return absl::OkStatus();
  }
  absl::Status operator()(const NormalInitializer& normal) const {
    Normal(generator, normal.mean, normal.std, dst);
    return absl::OkStatus();
  }
  absl::Status operator()(const TruncatedNormalInitializer& normal) const {
    TruncatedNormal(generator, normal.mean, normal.std, normal.a, normal.b, dst);
    return absl::OkStatus();
  }
  absl::Status operator()(const OrthogonalInitializer& orthogonal) const {
    return Orthogonal(generator, orthogonal.gain, dst);
  }
  absl::Status operator()(const EyeInitializer& /*eye*/) const {
    Fill(0.0, dst);
    const int64_t cols = dst.shape.dim(1);
    for (int64_t i = 0; i < std::min(dst.shape.dim(0), cols); ++i) SetOne(dst, i * cols + i);
    return absl::OkStatus();
  }
  absl::Status operator()(const DiracInitializer& dirac) const {
    Fill(0.0, dst);
    if (dst.shape.num_elements() == 0) return absl::OkStatus();
    int64_t kernel_size = 1;
    int64_t middle = 0;
    for (const int64_t dim : dst.shape.dims().subspan(2)) {
      kernel_size *= dim;
      middle = middle * dim + dim / 2;
    }
    const int64_t outputs = dst.shape.dim(0) / dirac.groups;
    const int64_t inputs = dst.shape.dim(1);
    for (int64_t group = 0; group < dirac.groups; ++group) {
      for (int64_t i = 0; i < std::min(outputs, inputs); ++i) {
        SetOne(dst, ((group * outputs + i) * inputs + i) * kernel_size + middle);
      }
    }
    return absl::OkStatus();
  }
};

struct Skip {
  Generator& generator;
  DType dtype;
  int64_t count;

  void operator()(const UniformInitializer& /*uniform*/) const {
    SkipUniform(generator, dtype, count);
  }
  void operator()(const TruncatedNormalInitializer& /*normal*/) const {
    SkipUniform(generator, dtype, count);
  }
  void operator()(const NormalInitializer& /*normal*/) const {
    SkipNormal(generator, dtype, count);
  }
  void operator()(const OrthogonalInitializer& /*orthogonal*/) const {
    SkipNormal(generator, dtype, count);
  }
  void operator()(const ConstantInitializer& /*constant*/) const {}
  void operator()(const EyeInitializer& /*eye*/) const {}
  void operator()(const DiracInitializer& /*dirac*/) const {}
};

absl::StatusOr<Recipe> CheckedRecipe(const Initializer& initializer, DType dtype,
                                     const Shape& shape) {
  const auto checked = [&]() -> absl::StatusOr<Recipe> {
    if (!IsFloating(dtype)) {
      return InvalidArgument("wants FP16, BF16, FP32 or FP64, got {}", Name(dtype));
    }
    ASSIGN_OR_RETURN(Recipe recipe, std::visit(RecipeFor{shape}, initializer));
    RETURN_IF_ERROR(std::visit(CheckFor{dtype, shape}, recipe));
    return recipe;
  };
  absl::StatusOr<Recipe> recipe = checked();
  if (!recipe.ok()) return Annotate(std::visit(NameOf{}, initializer), recipe.status());
  return recipe;
}

}  // namespace

absl::Status CheckInitializer(const Initializer& initializer, DType dtype, const Shape& shape) {
  return CheckedRecipe(initializer, dtype, shape).status();
}

absl::Status Initialize(const Initializer& initializer, Generator& generator,
                        const MutableTensorView& dst) {
  ASSIGN_OR_RETURN(const Recipe recipe, CheckedRecipe(initializer, dst.dtype, dst.shape));
  absl::Status status = std::visit(DrawInto{generator, dst}, recipe);
  return status.ok() ? status : Annotate(std::visit(NameOf{}, initializer), status);
}

absl::Status SkipInitializer(const Initializer& initializer, Generator& generator, DType dtype,
                             const Shape& shape) {
  ASSIGN_OR_RETURN(const Recipe recipe, CheckedRecipe(initializer, dtype, shape));
  std::visit(Skip{generator, dtype, shape.num_elements()}, recipe);
  return absl::OkStatus();
}

}  // namespace lazynet::init
