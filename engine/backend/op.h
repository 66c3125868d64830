#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

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
struct InnerProduct {
  bool operator==(const InnerProduct&) const = default;
};

// src0 [B..., M, K], src1 [B..., K, N] (transpose_b: [B..., N, K]) -> dst [B..., M, N] =
// alpha src0 src1. Equal ranks, >= 2; batch axes of size 1 stretch. INT64 (alpha 1) wraps.
struct MatMul {
  bool transpose_b = false;
  double alpha = 1;

  bool operator==(const MatMul&) const = default;
};

// src [N, C, ...], weights [O, C/groups, kernel...], bias [O] or absent -> dst [N, O, ...].
// Cross-correlation over src padded with zeros by (padding_l, padding_r), which are >= 0.
// winograd: may be computed by Winograd's algorithm, which makes NaN of infinities and spreads NaN
// to windows that do not read it. For who knows that there are none, and no magnitudes beyond 1e30.
struct Convolution {
  AxisVector strides;
  AxisVector dilations;  // 1 = dense, as PyTorch counts
  AxisVector padding_l;
  AxisVector padding_r;
  int64_t groups = 1;
  bool winograd = false;

  bool operator==(const Convolution&) const = default;
};

// src [N, C, ...], weights [C, O/groups, kernel...], bias [O] or absent -> dst [N, O, ...].
// Scatter: dst[i * stride + a * dilation - padding] += src[i] * weights[a]. What lies outside dst
// is dropped, so the output padding shows only in dst's shape.
struct Deconvolution {
  AxisVector strides;
  AxisVector dilations;
  AxisVector padding;
  int64_t groups = 1;

  bool operator==(const Deconvolution&) const = default;
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

  bool operator==(const Pooling&) const = default;
};

// src [N, C, L...] -> dst [N, C, O...]: mean of the bin [floor(i L / O), ceil((i + 1) L / O)).
struct AdaptiveAveragePooling {
  bool operator==(const AdaptiveAveragePooling&) const = default;
};

// The same with the bin's maximum; NaN wins.
struct AdaptiveMaxPooling {
  bool operator==(const AdaptiveMaxPooling&) const = default;
};

// src [N, C, L...] -> dst [N, C, O...], axis by axis, in any order: dst[i] is the sum of weight *
// src[tap] over the taps of i. With scale = scales[axis], which is positive, or 0 where O = 1 and
// align_corners:
//   kNearest: the one tap min(floor(f32(i scale)), L - 1), where FP32 rounds scale to float32
//   before it multiplies. Of images of one channel (C = 1, two or three spatial axes): always
//   float32; i where O = L, and floor(i / 2) where O = 2 L. kNearestExact: the same with i + 0.5 in
//   place of i, and no such exceptions. kLinear: about s = align_corners ? i scale : max(0, scale
//   (i + 0.5) - 0.5), the taps floor(s) and min(floor(s) + 1, L - 1) by their distances; i twice,
//   weighing 1 and 0, where O = L. kCubic: four taps about s = align_corners ? i scale : scale (i +
//   0.5) - 0.5, held to the axis, by Keys' kernel with a = -0.75. kAntialiasedLinear,
//   kAntialiasedCubic: all taps within support = 1 or 2 times max(scale, 1) of the centre scale (i
//   + 0.5), by the kernel (a = -0.5) stretched to that, over their sum.
// Weights of 0 count: 0 times inf is NaN. PyTorch: F.interpolate.
struct Resampling {
  enum class Mode {
    kNearest,
    kNearestExact,
    kLinear,
    kCubic,
    kAntialiasedLinear,
    kAntialiasedCubic,
  };
  Mode mode = Mode::kNearest;
  bool align_corners = false;  // of kLinear and kCubic
  std::vector<double> scales;  // per spatial axis: how far in src neighbours of dst lie apart

  bool operator==(const Resampling&) const = default;
};

// How many windows of a kernel there are along an axis of `size` with `pads` around it, which is at
// least as long as the kernel.
inline int64_t WindowCount(int64_t size, int64_t pads, int64_t kernel, int64_t dilation,
                           int64_t stride) {
  return (size + pads - dilation * (kernel - 1) - 1) / stride + 1;
}

// src [N, C, H, W] -> dst [N, C kernel_h kernel_w, L]: column l holds the patch of window l (the
// windows row-major), channel by channel and tap by tap. Zeros lie around src. PyTorch: F.unfold.
struct Unfold {
  AxisVector kernel;
  AxisVector strides;
  AxisVector dilations;
  AxisVector padding;

  bool operator==(const Unfold&) const = default;
};

// src [N, C kernel_h kernel_w, L] -> dst [N, C, H, W], the sums of the patches where Unfold would
// take them. PyTorch: F.fold.
struct Fold {
  AxisVector kernel;
  AxisVector strides;
  AxisVector dilations;
  AxisVector padding;

  bool operator==(const Fold&) const = default;
};

// src [N, C, ...], mean [C], variance [C], scale [C], shift [C] -> dst like src:
// (src - mean) / sqrt(variance + eps) * scale + shift; scale and shift may be absent.
//   kGiven: mean and variance are inputs; otherwise they are absent and computed from src, the
//   variance biased: kPerInstance over the spatial axes, kPerBatch over all axes but C, kPerGroup
//   per item over the C / groups channels of each group and the spatial axes.
struct Normalization {
  enum class Statistics { kGiven, kPerInstance, kPerBatch, kPerGroup };
  Statistics statistics = Statistics::kGiven;
  double eps = 1e-5;
  int64_t groups = 1;  // of kPerGroup; divides C

  bool operator==(const Normalization&) const = default;
};

// src [N, C, ...] -> dst like src: x / (k + alpha / size S)^beta, where S is the sum of squares
// over the channels c - floor(size / 2) to c + floor((size - 1) / 2) that there are.
struct LocalResponseNormalization {
  int64_t size = 1;
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 1;

  bool operator==(const LocalResponseNormalization&) const = default;
};

// src [M, K], scale [K] or absent, shift [K] or absent -> dst like src: each row minus its mean,
// over sqrt(biased variance + eps), times scale plus shift.
//   rms: no mean is subtracted, and the mean square takes the variance's place.
struct LayerNormalization {
  double eps = 1e-5;
  bool rms = false;

  bool operator==(const LayerNormalization&) const = default;
};

// dst like src; the sum of exp over `axis` is 1 (log: its logarithm). NaN spreads over its row.
struct Softmax {
  int axis = 0;  // 0 <= axis < rank
  bool log = false;

  bool operator==(const Softmax&) const = default;
};

// dst like src. NaN stays NaN unless said otherwise. Formulas: PyTorch 1.13's, with alpha and beta
// rounded to the dtype. FP32 or FP64; kAbs, kNegate and kSign of INT64 too, where the least number
// has no opposite and stays.
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
    kSoftplus,    // alpha x > beta ? x : log1p(exp(alpha x)) / alpha
    kLinear,      // alpha x + beta
    kCelu,        // x > 0 ? x : alpha expm1(x / alpha)
    kLogSigmoid,  // min(x, 0) - log1p(exp(-|x|))
    kSoftsign,    // x / (1 + |x|)
    kHardshrink,  // -alpha <= x <= alpha ? 0 : x
    kSoftshrink,  // x > alpha ? x - alpha : x < -alpha ? x + alpha : 0; 0 of NaN
    kThreshold,   // x <= alpha ? beta : x
    kAbs,
    kNegate,
    kSign,  // 0 of NaN
    kExp,
    kExpm1,
    kLog,
    kLog2,
    kLog10,
    kLog1p,
    kSqrt,
    kRsqrt,
    kReciprocal,
    kFloor,
    kCeil,
    kRound,  // to the nearest, ties to even
    kTrunc,
    kSin,
    kCos,
    kTan,
    kAtan,
    kErf,
  };
  Algorithm algorithm = Algorithm::kRelu;
  double alpha = 0;
  double beta = 0;

  bool operator==(const Eltwise&) const = default;
};

// src [N, C, ...], slope [1] or [C] -> dst like src: x > 0 ? x : slope x; rank >= 2 when slope
// has more than one element.
struct Prelu {
  bool operator==(const Prelu&) const = default;
};

// src0, src1 of one dtype -> dst of the broadcast shape (aligned at the right, size 1 stretches).
//   Arithmetic, to the dtype of src: FP32, FP64, or INT64, which wraps. By an integer 0 nothing is
//   divided: that is known only when the op runs, which then answers INVALID_ARGUMENT.
//   Comparisons, to BOOL: of FP32, FP64, INT64 or BOOL. With NaN, only kNotEqual is true.
//   Logic, to BOOL: of BOOL.
struct Binary {
  enum class Algorithm {
    kAdd,
    kSub,
    kMul,
    kDiv,          // of INT64: rounded toward 0
    kMax,          // NaN wins
    kMin,          // NaN wins
    kPow,          // of INT64 with a negative exponent: the power rounded toward 0, and 0 of 0
    kFloorDivide,  // rounded toward -inf; x / 0 as kDiv
    kRemainder,    // of kFloorDivide: has src1's sign
    kFmod,         // of the division rounded toward 0: has src0's sign
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kAnd,
    kOr,
    kXor,
  };
  Algorithm algorithm = Algorithm::kAdd;

  bool operator==(const Binary&) const = default;
};

// condition BOOL, src0, src1 of one dtype, any -> dst of it and of the broadcast shape of the
// three: condition ? src0 : src1.
struct Where {
  bool operator==(const Where&) const = default;
};

// src -> dst, whose `axes` are of size 1 or absent: what the algorithm makes of the elements along
// them. No axes is of each element alone. NaN spreads, and counts as 1 for p = 0. FP32 or FP64;
// kSum, kProd, kMax and kMin of INT64 too, where sums and products wrap; kMax and kMin of BOOL:
// whether any, whether all. Of no elements at all: 0, and 1 for kProd and "all", NaN for kMean and
// kVariance, -inf for kLogSumExp; kMax and kMin of other dtypes, and norms of p < 0, want elements.
struct Reduction {
  enum class Algorithm {
    kSum,
    kMean,
    kProd,
    kMax,
    kMin,
    kVariance,   // sum of (x - mean)^2 over max(count - correction, 0)
    kNorm,       // (sum of |x|^p)^(1 / p); largest or least |x| for p = inf, -inf; not 0: p = 0
    kLogSumExp,  // log of the sum of exp(x)
  };
  Algorithm algorithm = Algorithm::kSum;
  AxisVector axes;  // ascending
  double p = 2;
  int64_t correction = 1;

  bool operator==(const Reduction&) const = default;
};

// src FP32, FP64 or INT64 -> dst INT64, whose `axis` is of size 1 or absent: the index along it of
// the largest (kMax) or least (kMin) element, the first of equals. The first NaN comes before all.
struct ArgReduction {
  enum class Algorithm { kMax, kMin };
  Algorithm algorithm = Algorithm::kMax;
  int axis = 0;

  bool operator==(const ArgReduction&) const = default;
};

// src FP32, FP64 or INT64 -> dst with fewer elements along `axis`, or all of them: the largest
// ones, the largest first, or the least ones, the least first. Of equals the first comes first, NaN
// counts as larger than all others. Two ops give an order's values (of src's dtype) and their
// indices (INT64).
struct TopK {
  enum class Output { kValues, kIndices };
  int axis = 0;
  bool largest = true;
  Output output = Output::kValues;

  bool operator==(const TopK&) const = default;
};

// src -> dst like src: each element plus those before it along `axis`. FP32, added up in double,
// FP64, or INT64, which wraps.
struct Cumsum {
  int axis = 0;

  bool operator==(const Cumsum&) const = default;
};

// src0, src1, ... -> dst; equal shapes but for `axis`. Of any one dtype.
struct Concat {
  int axis = 0;

  bool operator==(const Concat&) const = default;
};

// src -> dst, larger by (before, after) on every axis, both >= 0. Sizes are those of src: reflect
// excludes the edge and wants pads < size, circular wants pads <= size, replicate a size >= 1 where
// it pads; constant fills with `value`. Of any dtype.
struct Pad {
  enum class Mode { kReflect, kReplicate, kCircular, kConstant };
  Mode mode = Mode::kReflect;
  AxisVector before;
  AxisVector after;
  double value = 0;  // converted as Convert does (engine/core/convert.h)

  bool operator==(const Pad&) const = default;
};

// Axis i of dst is axis order[i] of src. Of any dtype.
struct Permute {
  AxisVector order;

  bool operator==(const Permute&) const = default;
};

// Element i of an axis of dst is element begin + i * step of src, of equal rank. Of any dtype.
struct Slice {
  AxisVector begin;
  AxisVector step = {};  // != 0, may be negative; empty: 1 on all axes

  bool operator==(const Slice&) const = default;
};

// src -> dst of the broadcast shape (aligned at the right, size 1 stretches). Of any dtype.
struct Expand {
  bool operator==(const Expand&) const = default;
};

// src of any dtype -> dst of the same shape: elements [..., i, j] of the last two axes with
// j - i <= diagonal (upper: >= diagonal), zeros elsewhere.
struct Triangle {
  bool upper = false;
  int64_t diagonal = 0;

  bool operator==(const Triangle&) const = default;
};

// src -> dst with the same elements in the same order; a view where the layout allows.
struct Reshape {
  bool operator==(const Reshape&) const = default;
};

// src -> dst of the same shape and dst's dtype, from any to any. To floating types: rounded once,
// to the nearest, ties to even (PyTorch's FP64 to 16 bits rounds to FP32 on the way, and so do its
// and these large integers); NaN stays NaN. To BOOL: x != 0. Integers wrap. Floats are rounded
// toward 0 to INT32, if dst is INT32, INT16 or INT8, or else to INT64, whose least number stands
// for what it cannot hold and for NaN; that wraps to dst. (PyTorch leaves this to the machine; so
// do x86's.)
struct Cast {
  bool operator==(const Cast&) const = default;
};

// ids [I...] INT32 or INT64, table [V, E] of any dtype -> dst [I..., E] of the table's dtype: row
// ids[i] of the table. An id outside [0, V) is known only when the op runs, which then answers
// INVALID_ARGUMENT.
struct Gather {
  bool operator==(const Gather&) const = default;
};

// src of any dtype, index [M] INT32 or INT64 -> dst like src but M on `axis`: slice i of it is
// slice index[i] of src. Of src [] and index [1] or [] too, with axis 0. An index outside [0, size)
// is known only when the op runs, which then answers INVALID_ARGUMENT.
struct IndexSelect {
  int axis = 0;

  bool operator==(const IndexSelect&) const = default;
};

// src of any dtype, index INT64 of equal rank, on no axis but `axis` larger than src -> dst of
// index's shape: dst[i, j, k] = src[i, index[i, j, k], k] for axis 1. Indices as above.
struct GatherAlong {
  int axis = 0;

  bool operator==(const GatherAlong&) const = default;
};

// ids [K] INT32 or INT64, offsets [B] (include_last_offset: [B + 1]) of the dtype of ids or
// absent, table [V, E], weights [K] or absent -> dst [B, E], both of the table's dtype, FP32 or
// FP64: what the rows of each bag, times their weights, make together. Bag i is ids[offsets[i]]
// to before ids[offsets[i + 1]], the last one to the end; without offsets all bags are K / B ids
// long. Ids that are padding_idx are left out, and a bag of none gives zeros. kMax keeps its
// first row where comparisons with NaN are false, as PyTorch does. Ids outside [0, V), and
// offsets that do not start at 0, descend or lead beyond K, are known only when the op runs,
// which then answers INVALID_ARGUMENT.
struct EmbeddingBag {
  enum class Mode { kSum, kMean, kMax };
  Mode mode = Mode::kMean;
  bool include_last_offset = false;
  std::optional<int64_t> padding_idx;

  bool operator==(const EmbeddingBag&) const = default;
};

// src [T, N, I], weights_layer [G H, I], weights_iter [G H, P], bias_layer [G H] or absent,
// bias_iter [G H] or absent, projection [P, H] or absent (then P = H), initial hidden [N, P] or
// absent (zeros), initial cell [N, H] or absent (zeros; LSTM only) -> dst of rank 1, packed:
// y [T, N, P] and, for LSTM, the last cell state [N, H] behind it. Formulas and the order of the
// gates are those of PyTorch 1.13's RNN, LSTM and GRU, with a = the layer's part of a gate,
// weights_layer x + bias_layer, and b = the iteration's, weights_iter h + bias_iter:
//   kRnnTanh, kRnnRelu (G = 1): h = tanh(a + b), relu(a + b)
//   kLstm (G = 4: i f g o): c = sigmoid(f) c + sigmoid(i) tanh(g); h = sigmoid(o) tanh(c), which
//   the projection multiplies
//   kGru (G = 3: r z n): n = tanh(a_n + sigmoid(r) b_n); h = (1 - sigmoid(z)) n + sigmoid(z) h
// Only LSTM has a projection.
//   reverse: the sequence runs from its end; y stays in the order of src, so that the last hidden
//   state is y[0].
struct Recurrent {
  enum class Cell { kRnnTanh, kRnnRelu, kLstm, kGru };
  Cell cell = Cell::kLstm;
  bool reverse = false;

  bool operator==(const Recurrent&) const = default;
};

using OpKind = std::variant<InnerProduct, MatMul, Convolution, Deconvolution, Pooling,
                            AdaptiveAveragePooling, AdaptiveMaxPooling, Resampling, Unfold, Fold,
                            Normalization, LocalResponseNormalization, LayerNormalization, Softmax,
                            Eltwise, Prelu, Binary, Concat, Pad, Permute, Slice, Expand, Triangle,
                            Reshape, Cast, Gather, IndexSelect, GatherAlong, EmbeddingBag,
                            Recurrent, Where, Reduction, ArgReduction, TopK, Cumsum>;

// Whether it is a convolution, a deconvolution, an inner product or a product of matrices: sums of
// products, where most of a network's time goes.
bool IsProduct(const OpKind& kind);

// "convolution", "inner_product", ...: oneDNN's word where it has one.
std::string_view Name(const OpKind& kind);

}  // namespace lazynet::backend
