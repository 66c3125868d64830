#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "absl/container/inlined_vector.h"

namespace lazynet::backend {

// The op set between layers and kernels. Layers lower to these; each backend has a kernel for
// each. All tensors are batched: [N, C, spatial...] means N images, C channels, then the spatial
// axes (length; height, width; depth, height, width). Shapes have been checked before an op is
// made: kernels trust them. Sizes of 0 occur only in axis N and only in tensors that are wholly
// empty, and ops with such outputs never reach a backend.

// One number per axis.
using AxisVector = absl::InlinedVector<int64_t, 6>;

// src [M, K], weights [N, K], bias [N] or absent -> dst [M, N] = src weights^T + bias.
struct InnerProduct {};

// src [N, C, ...], weights [O, C/groups, kernel...], bias [O] or absent -> dst [N, O, ...].
// Cross-correlation over src padded with zeros by (padding_l, padding_r), which are >= 0.
struct Convolution {
  AxisVector strides;
  AxisVector dilations;  // 1 = dense, as PyTorch counts
  AxisVector padding_l;
  AxisVector padding_r;
  int64_t groups = 1;
};

// src [N, C, ...], weights [C, O/groups, kernel...], bias [O] or absent -> dst [N, O, ...].
// Scatter: dst[i * stride + a * dilation - padding] += src[i] * weights[a]. What lies outside dst
// is dropped, so the output padding shows only in dst's shape.
struct Deconvolution {
  AxisVector strides;
  AxisVector dilations;
  AxisVector padding;
  int64_t groups = 1;
};

// src [N, C, ...] -> dst [N, C, ...]. Window i of an axis covers [i * stride - padding,
// i * stride - padding + dilation * (kernel - 1) + 1); dst's shape says how many windows there are.
//   kMax: padding counts as -inf, NaN wins.
//   kAverage: the divisor is divisor_override, or the window clipped to the padded input
//   (count_include_pad), or the window clipped to the input. Dilations are 1.
struct Pooling {
  enum class Kind { kMax, kAverage };
  Kind kind = Kind::kMax;
  AxisVector kernel;
  AxisVector strides;
  AxisVector dilations;
  AxisVector padding;
  bool count_include_pad = true;
  std::optional<int64_t> divisor_override;
};

// src [N, C, L...] -> dst [N, C, O...]: mean of the bin [floor(i L / O), ceil((i + 1) L / O)).
struct AdaptiveAveragePooling {};

// src [N, C, ...], mean [C], variance [C], scale [C], shift [C] -> dst like src:
// (src - mean) / sqrt(variance + eps) * scale + shift; scale and shift may be absent.
//   kGiven: mean and variance are inputs; otherwise they are absent and computed from src, the
//   variance biased: kPerInstance over the spatial axes, kPerBatch over all axes but C.
struct Normalization {
  enum class Statistics { kGiven, kPerInstance, kPerBatch };
  Statistics statistics = Statistics::kGiven;
  double eps = 1e-5;
};

// dst like src; the sum of exp over `axis` is 1 (log: its logarithm). NaN spreads over its row.
struct Softmax {
  int axis = 0;  // 0 <= axis < rank
  bool log = false;
};

// dst like src. NaN stays NaN. Formulas: PyTorch 1.13's.
struct Eltwise {
  enum class Algorithm {
    kRelu,         // max(x, 0)
    kClamp,        // min(max(x, alpha), beta)
    kLeakyRelu,    // x > 0 ? x : alpha x
    kElu,          // x > 0 ? x : alpha expm1(x)
    kGeluErf,      // x / 2 (1 + erf(x / sqrt 2))
    kGeluTanh,     // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
    kSilu,         // x sigmoid(x)
    kMish,         // x tanh(softplus(x))
    kHardswish,    // x clamp(x + 3, 0, 6) / 6
    kHardsigmoid,  // clamp(x + 3, 0, 6) / 6
    kSigmoid,
    kTanh,
    kSoftplus,  // alpha x > beta ? x : log1p(exp(alpha x)) / alpha
  };
  Algorithm algorithm = Algorithm::kRelu;
  double alpha = 0;
  double beta = 0;
};

// src [N, C, ...], slope [1] or [C] -> dst like src: x > 0 ? x : slope x; rank >= 2 when slope
// has more than one element.
struct Prelu {};

// src0, src1 -> dst of the broadcast shape (aligned at the right, size 1 stretches).
struct Binary {
  enum class Algorithm { kAdd, kMul };
  Algorithm algorithm = Algorithm::kAdd;
};

// src0, src1, ... -> dst; equal shapes but for `axis`.
struct Concat {
  int axis = 0;
};

// src -> dst, larger by (before, after) on every axis, both >= 0. Reflect excludes the edge and
// wants pads < size; circular pads <= size.
struct Pad {
  enum class Mode { kReflect, kReplicate, kCircular };
  Mode mode = Mode::kReflect;
  AxisVector before;
  AxisVector after;
};

// src -> dst with the same elements in the same order; a view where the layout allows.
struct Reshape {};

using OpKind =
    std::variant<InnerProduct, Convolution, Deconvolution, Pooling, AdaptiveAveragePooling,
                 Normalization, Softmax, Eltwise, Prelu, Binary, Concat, Pad, Reshape>;

// "convolution", "inner_product", ...: oneDNN's word where it has one.
std::string_view Name(const OpKind& kind);

}  // namespace lazynet::backend
