#pragma once

#include <cstdint>
#include <variant>

#include "engine/core/status.h"
#include "engine/core/tensor.h"
#include "engine/init/gain.h"
#include "engine/init/generator.h"

// The initializers of torch.nn.init by name, with its arguments and their defaults.
namespace lazynet::init {

// constant_; zeros_ and ones_ are 0 and 1.
struct ConstantInitializer {
  double value = 0.0;
};

// uniform_: U(a, b).
struct UniformInitializer {
  double a = 0.0;
  double b = 1.0;
};

// normal_: N(mean, std^2).
struct NormalInitializer {
  double mean = 0.0;
  double std = 1.0;
};

// trunc_normal_: N(mean, std^2) between the values (not the deviations) a and b.
struct TruncatedNormalInitializer {
  double mean = 0.0;
  double std = 1.0;
  double a = -2.0;
  double b = 2.0;
};

// xavier_uniform_ and xavier_normal_: variance gain^2 * 2 / (fan_in + fan_out) (Glorot and Bengio,
// 2010).
struct XavierUniformInitializer {
  double gain = 1.0;
};
struct XavierNormalInitializer {
  double gain = 1.0;
};

enum class FanMode { kFanIn, kFanOut };

// kaiming_uniform_ and kaiming_normal_: variance gain^2 / fan (He et al., 2015) with the gain of
// the nonlinearity; negative_slope, PyTorch's `a`, counts for leaky_relu alone.
struct KaimingUniformInitializer {
  double negative_slope = 0.0;
  FanMode mode = FanMode::kFanIn;
  Nonlinearity nonlinearity = Nonlinearity::kLeakyRelu;
};
struct KaimingNormalInitializer {
  double negative_slope = 0.0;
  FanMode mode = FanMode::kFanIn;
  Nonlinearity nonlinearity = Nonlinearity::kLeakyRelu;
};

// orthogonal_: see orthogonal.h, also for what it costs. FP32 and FP64 only, as in PyTorch.
struct OrthogonalInitializer {
  double gain = 1.0;
};

// eye_: 1 on the diagonal of a matrix, else 0.
struct EyeInitializer {};

// dirac_: of a convolution's weight [out, in, kernel...]; in each of the groups of outputs, output
// i is input i: 1 in the middle of its kernel, else 0.
struct DiracInitializer {
  int64_t groups = 1;
};

using Initializer =
    std::variant<ConstantInitializer, UniformInitializer, NormalInitializer,
                 TruncatedNormalInitializer, XavierUniformInitializer, XavierNormalInitializer,
                 KaimingUniformInitializer, KaimingNormalInitializer, OrthogonalInitializer,
                 EyeInitializer, DiracInitializer>;

// INVALID_ARGUMENT, with the initializer's name, what was wanted and what came, unless a tensor of
// this type and shape can be initialized so: a floating type (for orthogonal FP32 and FP64, for
// trunc_normal also BF16); rank 2 or more for xavier, kaiming and orthogonal, 2 for eye, 3 to 5 for
// dirac, whose groups divide dim 0; numbers that are finite (a constant may also be infinite or
// NaN) and within the type's range; a <= b, std >= 0 (trunc_normal: > 0),
// xavier's gain >= 0. RESOURCE_EXHAUSTED for orthogonal when its cost, see orthogonal.h, is above
// 10^12 operations. Arguments have PyTorch's names in messages. All dims are known.
absl::Status CheckInitializer(const Initializer& initializer, DType dtype, const Shape& shape);

// Fills `dst` with the bits of PyTorch 1.13 and leaves the generator where PyTorch does; see
// distributions.h for what that depends on. After an error nothing was drawn or written. Errors are
// CheckInitializer's, and RESOURCE_EXHAUSTED when orthogonal lacks memory; the others allocate
// nothing.
absl::Status Initialize(const Initializer& initializer, Generator& generator,
                        const MutableTensorView& dst);

// Leaves the generator where Initialize would leave it, for a tensor whose values are known. Errors
// are CheckInitializer's. Costs next to nothing: no values are made but for the few, below 16
// elements, of normals that leave one in the generator.
absl::Status SkipInitializer(const Initializer& initializer, Generator& generator, DType dtype,
                             const Shape& shape);

}  // namespace lazynet::init
