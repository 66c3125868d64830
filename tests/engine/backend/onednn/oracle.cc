#include "tests/engine/backend/onednn/oracle.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

namespace lazynet::testing {
namespace {

using Triple = std::array<int64_t, 3>;

// The last axes of a shape as depth, height, width; axes that are not there have size 1.
Triple Spatial(const Shape& shape, int64_t fill = 1) {
  Triple result{fill, fill, fill};
  const int axes = shape.rank() - 2;
  for (int i = 0; i < axes; ++i) result[static_cast<size_t>(3 - axes + i)] = shape.dim(2 + i);
  return result;
}

Triple Triplet(const backend::AxisVector& axes, int64_t fill) {
  Triple result{fill, fill, fill};
  std::copy(axes.begin(), axes.end(), result.end() - static_cast<ptrdiff_t>(axes.size()));
  return result;
}

void ForEach(const Triple& sizes, const std::function<void(const Triple&)>& visit) {
  for (int64_t d = 0; d < sizes[0]; ++d) {
    for (int64_t h = 0; h < sizes[1]; ++h) {
      for (int64_t w = 0; w < sizes[2]; ++w) visit({d, h, w});
    }
  }
}

size_t At(int64_t plane, const Triple& sizes, const Triple& index) {
  return static_cast<size_t>(((plane * sizes[0] + index[0]) * sizes[1] + index[1]) * sizes[2] +
                             index[2]);
}

bool Inside(const Triple& sizes, const Triple& index) {
  for (size_t i = 0; i < 3; ++i) {
    if (index[i] < 0 || index[i] >= sizes[i]) return false;
  }
  return true;
}

double BiasOf(const Tensor* bias, int64_t channel) {
  return bias == nullptr ? 0 : bias->values<float>()[static_cast<size_t>(channel)];
}

}  // namespace

double Tolerance(int64_t products) { return 1e-6 + 1e-7 * static_cast<double>(products); }

std::vector<double> InnerProductOf(const Tensor& src, const Tensor& weights, const Tensor* bias) {
  const auto m = static_cast<size_t>(src.shape().dim(0));
  const auto k = static_cast<size_t>(src.shape().dim(1));
  const auto n = static_cast<size_t>(weights.shape().dim(0));
  const auto a = src.values<float>();
  const auto b = weights.values<float>();
  std::vector<double> dst;
  for (size_t row = 0; row < m; ++row) {
    for (size_t column = 0; column < n; ++column) {
      double sum = BiasOf(bias, static_cast<int64_t>(column));
      for (size_t i = 0; i < k; ++i) sum += double{a[row * k + i]} * b[column * k + i];
      dst.push_back(sum);
    }
  }
  return dst;
}

std::vector<double> MatMulOf(const backend::MatMul& op, const Tensor& src0, const Tensor& src1,
                             const Shape& dst) {
  const auto a = src0.values<float>();
  const auto b = src1.values<float>();
  const int rank = dst.rank();
  const int64_t inner = src0.shape().dim(-1);
  // Where an element of src lies: at dst's batch indices, or 0 where src is stretched.
  const auto at = [&](const Shape& shape, const std::vector<int64_t>& index, int64_t row,
                      int64_t column) {
    int64_t offset = 0;
    for (int axis = 0; axis < rank - 2; ++axis) {
      offset =
          offset * shape.dim(axis) + (shape.dim(axis) == 1 ? 0 : index[static_cast<size_t>(axis)]);
    }
    return static_cast<size_t>((offset * shape.dim(-2) + row) * shape.dim(-1) + column);
  };
  std::vector<double> result;
  std::vector<int64_t> index(static_cast<size_t>(rank));
  for (int64_t i = 0; i < dst.num_elements(); ++i) {
    int64_t rest = i;
    for (int axis = rank - 1; axis >= 0; --axis) {
      index[static_cast<size_t>(axis)] = rest % dst.dim(axis);
      rest /= dst.dim(axis);
    }
    const int64_t m = index[static_cast<size_t>(rank) - 2];
    const int64_t n = index.back();
    double sum = 0;
    for (int64_t k = 0; k < inner; ++k) {
      sum += double{a[at(src0.shape(), index, m, k)]} *
             (op.transpose_b ? b[at(src1.shape(), index, n, k)] : b[at(src1.shape(), index, k, n)]);
    }
    result.push_back(op.alpha * sum);
  }
  return result;
}

std::vector<double> ConvolutionOf(const backend::Convolution& op, const Tensor& src,
                                  const Tensor& weights, const Tensor* bias, const Shape& dst) {
  const Triple src_sizes = Spatial(src.shape());
  const Triple kernel = Spatial(weights.shape());
  const Triple strides = Triplet(op.strides, 1);
  const Triple dilations = Triplet(op.dilations, 1);
  const Triple padding = Triplet(op.padding_l, 0);
  const int64_t channels = src.shape().dim(1);
  const int64_t group_channels = weights.shape().dim(1);
  const int64_t group_outputs = dst.dim(1) / op.groups;
  const auto a = src.values<float>();
  const auto b = weights.values<float>();
  std::vector<double> result;
  for (int64_t n = 0; n < dst.dim(0); ++n) {
    for (int64_t o = 0; o < dst.dim(1); ++o) {
      ForEach(Spatial(dst), [&](const Triple& to) {
        double sum = BiasOf(bias, o);
        for (int64_t c = 0; c < group_channels; ++c) {
          const int64_t plane = n * channels + o / group_outputs * group_channels + c;
          ForEach(kernel, [&](const Triple& tap) {
            Triple from;
            for (size_t i = 0; i < 3; ++i) {
              from[i] = to[i] * strides[i] + tap[i] * dilations[i] - padding[i];
            }
            if (!Inside(src_sizes, from)) return;
            sum +=
                double{a[At(plane, src_sizes, from)]} * b[At(o * group_channels + c, kernel, tap)];
          });
        }
        result.push_back(sum);
      });
    }
  }
  return result;
}

std::vector<double> DeconvolutionOf(const backend::Deconvolution& op, const Tensor& src,
                                    const Tensor& weights, const Tensor* bias, const Shape& dst) {
  const Triple src_sizes = Spatial(src.shape());
  const Triple dst_sizes = Spatial(dst);
  const Triple kernel = Spatial(weights.shape());
  const Triple strides = Triplet(op.strides, 1);
  const Triple dilations = Triplet(op.dilations, 1);
  const Triple padding = Triplet(op.padding, 0);
  const int64_t channels = src.shape().dim(1);
  const int64_t group_channels = channels / op.groups;
  const int64_t group_outputs = weights.shape().dim(1);
  const auto a = src.values<float>();
  const auto b = weights.values<float>();
  std::vector<double> result(static_cast<size_t>(dst.num_elements()));
  for (int64_t n = 0; n < dst.dim(0); ++n) {
    for (int64_t o = 0; o < dst.dim(1); ++o) {
      ForEach(dst_sizes, [&](const Triple& to) {
        result[At(n * dst.dim(1) + o, dst_sizes, to)] = BiasOf(bias, o);
      });
    }
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t group_output = 0; group_output < group_outputs; ++group_output) {
        const int64_t o = c / group_channels * group_outputs + group_output;
        ForEach(src_sizes, [&](const Triple& from) {
          ForEach(kernel, [&](const Triple& tap) {
            Triple to;
            for (size_t i = 0; i < 3; ++i) {
              to[i] = from[i] * strides[i] + tap[i] * dilations[i] - padding[i];
            }
            if (!Inside(dst_sizes, to)) return;
            result[At(n * dst.dim(1) + o, dst_sizes, to)] +=
                double{a[At(n * channels + c, src_sizes, from)]} *
                b[At(c * group_outputs + group_output, kernel, tap)];
          });
        });
      }
    }
  }
  return result;
}

std::vector<double> PoolingOf(const backend::Pooling& op, const Tensor& src, const Shape& dst) {
  const Triple src_sizes = Spatial(src.shape());
  const Triple kernel = Triplet(op.kernel, 1);
  const Triple strides = Triplet(op.strides, 1);
  const Triple dilations = Triplet(op.dilations, 1);
  const Triple padding = Triplet(op.padding, 0);
  const bool max = op.kind == backend::Pooling::Kind::kMax;
  const auto a = src.values<float>();
  std::vector<double> result;
  for (int64_t plane = 0; plane < dst.dim(0) * dst.dim(1); ++plane) {
    ForEach(Spatial(dst), [&](const Triple& to) {
      double value = max ? -std::numeric_limits<double>::infinity() : 0;
      double taken = 0;
      ForEach(kernel, [&](const Triple& tap) {
        Triple from;
        for (size_t i = 0; i < 3; ++i) {
          from[i] = to[i] * strides[i] + tap[i] * dilations[i] - padding[i];
        }
        if (!Inside(src_sizes, from)) return;
        const double x = a[At(plane, src_sizes, from)];
        taken += 1;
        if (!max) {
          value += x;
        } else if (!std::isnan(value) && !(x <= value)) {
          value = x;
        }
      });
      if (!max) {
        double divisor = 1;
        for (size_t i = 0; i < 3; ++i) {
          const int64_t begin = to[i] * strides[i] - padding[i];
          divisor *=
              static_cast<double>(std::min(begin + kernel[i], src_sizes[i] + padding[i]) - begin);
        }
        if (!op.count_include_pad) divisor = taken;
        if (op.divisor_override) divisor = static_cast<double>(*op.divisor_override);
        value /= divisor;
      }
      result.push_back(value);
    });
  }
  return result;
}

std::vector<double> AdaptiveAverageOf(const Tensor& src, const Shape& dst) {
  const Triple src_sizes = Spatial(src.shape());
  const Triple dst_sizes = Spatial(dst);
  const auto a = src.values<float>();
  std::vector<double> result;
  for (int64_t plane = 0; plane < dst.dim(0) * dst.dim(1); ++plane) {
    ForEach(dst_sizes, [&](const Triple& to) {
      Triple begin;
      Triple count;
      double divisor = 1;
      for (size_t i = 0; i < 3; ++i) {
        begin[i] = to[i] * src_sizes[i] / dst_sizes[i];
        count[i] = ((to[i] + 1) * src_sizes[i] + dst_sizes[i] - 1) / dst_sizes[i] - begin[i];
        divisor *= static_cast<double>(count[i]);
      }
      double sum = 0;
      ForEach(count, [&](const Triple& tap) {
        sum += a[At(plane, src_sizes, {begin[0] + tap[0], begin[1] + tap[1], begin[2] + tap[2]})];
      });
      result.push_back(sum / divisor);
    });
  }
  return result;
}

std::vector<double> NormalizationOf(const backend::Normalization& op, const Tensor& src,
                                    const Tensor* mean, const Tensor* variance, const Tensor* scale,
                                    const Tensor* shift) {
  using Statistics = backend::Normalization::Statistics;
  const auto images = static_cast<size_t>(src.shape().dim(0));
  const auto channels = static_cast<size_t>(src.shape().dim(1));
  const auto a = src.values<float>();
  const size_t elements = a.size() / images / channels;
  std::vector<double> result(a.size());
  const auto visit = [&](size_t n, size_t c, const std::function<void(size_t)>& at) {
    for (size_t i = 0; i < elements; ++i) at((n * channels + c) * elements + i);
  };
  for (size_t n = 0; n < images; ++n) {
    for (size_t c = 0; c < channels; ++c) {
      double m = 0;
      double v = 0;
      if (op.statistics == Statistics::kGiven) {
        m = mean->values<float>()[c];
        v = variance->values<float>()[c];
      } else {
        const bool batch = op.statistics == Statistics::kPerBatch;
        const size_t first = batch ? 0 : n;
        const size_t last = batch ? images : n + 1;
        const size_t group =
            op.statistics == Statistics::kPerGroup ? channels / static_cast<size_t>(op.groups) : 1;
        const auto visit_sharing = [&](const std::function<void(size_t)>& at) {
          for (size_t i = first; i < last; ++i) {
            for (size_t j = 0; j < group; ++j) visit(i, c / group * group + j, at);
          }
        };
        const auto count = static_cast<double>((last - first) * group * elements);
        visit_sharing([&](size_t at) { m += a[at] / count; });
        visit_sharing([&](size_t at) { v += (a[at] - m) * (a[at] - m) / count; });
      }
      visit(n, c, [&](size_t at) {
        result[at] = (a[at] - m) / std::sqrt(v + op.eps);
        if (scale != nullptr) result[at] *= scale->values<float>()[c];
        if (shift != nullptr) result[at] += shift->values<float>()[c];
      });
    }
  }
  return result;
}

std::vector<double> LayerNormalizationOf(const backend::LayerNormalization& op, const Tensor& src,
                                         const Tensor* scale, const Tensor* shift) {
  const auto a = src.values<float>();
  const auto size = static_cast<size_t>(src.shape().dim(1));
  std::vector<double> result;
  for (size_t row = 0; row < a.size(); row += size) {
    double m = 0;
    double v = 0;
    for (size_t i = 0; i < size; ++i) m += a[row + i] / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i) {
      v += (a[row + i] - m) * (a[row + i] - m) / static_cast<double>(size);
    }
    for (size_t i = 0; i < size; ++i) {
      result.push_back((a[row + i] - m) / std::sqrt(v + op.eps));
      if (scale != nullptr) result.back() *= scale->values<float>()[i];
      if (shift != nullptr) result.back() += shift->values<float>()[i];
    }
  }
  return result;
}

std::vector<double> SoftmaxOf(const backend::Softmax& op, const Tensor& src) {
  const auto a = src.values<float>();
  size_t inner = 1;
  for (int i = op.axis + 1; i < src.shape().rank(); ++i) {
    inner *= static_cast<size_t>(src.shape().dim(i));
  }
  const auto size = static_cast<size_t>(src.shape().dim(op.axis));
  std::vector<double> result(a.size());
  for (size_t outer = 0; outer < a.size() / inner / size; ++outer) {
    for (size_t i = 0; i < inner; ++i) {
      const auto at = [&](size_t k) { return (outer * size + k) * inner + i; };
      double largest = -std::numeric_limits<double>::infinity();
      for (size_t k = 0; k < size; ++k) largest = std::max(largest, double{a[at(k)]});
      double sum = 0;
      for (size_t k = 0; k < size; ++k) sum += std::exp(a[at(k)] - largest);
      for (size_t k = 0; k < size; ++k) {
        const double shifted = a[at(k)] - largest;
        result[at(k)] = op.log ? shifted - std::log(sum) : std::exp(shifted) / sum;
      }
    }
  }
  return result;
}

double EltwiseOf(const backend::Eltwise& op, double x) {
  using Algorithm = backend::Eltwise::Algorithm;
  const auto clamp = [](double value, double low, double high) {
    const double raised = value < low ? low : value;
    return raised > high ? high : raised;
  };
  switch (op.algorithm) {
    case Algorithm::kRelu:
      return x < 0 ? 0 : x;
    case Algorithm::kClamp:
      return clamp(x, op.alpha, op.beta);
    case Algorithm::kLeakyRelu:
      return x > 0 ? x : op.alpha * x;
    case Algorithm::kElu:
      return x > 0 ? x : op.alpha * std::expm1(x);
    case Algorithm::kGeluErf:
      return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    case Algorithm::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Algorithm::kSilu:
      return x / (1 + std::exp(-x));
    case Algorithm::kMish:
      return x * std::tanh(x > 20 ? x : std::log1p(std::exp(x)));
    case Algorithm::kHardswish:
      // Overflows before it is divided, as PyTorch's does.
      return double{static_cast<float>(x * clamp(x + 3, 0, 6))} / 6;
    case Algorithm::kHardsigmoid:
      return clamp(x + 3, 0, 6) / 6;
    case Algorithm::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Algorithm::kTanh:
      return std::tanh(x);
    case Algorithm::kSoftplus:
      return op.alpha * x > op.beta ? x : std::log1p(std::exp(op.alpha * x)) / op.alpha;
    case Algorithm::kLinear:
      return op.alpha * x + op.beta;
    case Algorithm::kLogSigmoid:
      return -std::log1p(std::exp(-std::abs(x))) + (x > 0 ? 0 : x);
    case Algorithm::kSoftsign:
      return x / (1 + std::abs(x));
    case Algorithm::kHardshrink:
      return std::abs(x) <= op.alpha ? 0 : x;
    case Algorithm::kSoftshrink:
      return std::abs(x) > op.alpha ? x - std::copysign(op.alpha, x) : 0;
    case Algorithm::kThreshold:
      return x <= op.alpha ? op.beta : x;
    case Algorithm::kAbs:
      return std::abs(x);
    case Algorithm::kNegate:
      return -x;
    case Algorithm::kSign:
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    case Algorithm::kExp:
      return double{static_cast<float>(std::exp(x))};
    case Algorithm::kSqrt:
      return std::sqrt(x);
    case Algorithm::kRsqrt:
      return 1 / std::sqrt(x);
    case Algorithm::kReciprocal:
      return double{static_cast<float>(1 / x)};
    case Algorithm::kFloor:
      return std::floor(x);
    case Algorithm::kCeil:
      return std::ceil(x);
    case Algorithm::kRound:
      return std::nearbyint(x);
    case Algorithm::kTrunc:
      return std::trunc(x);
    default:
      return NAN;  // left to the fallback
  }
}

double ReductionOf(const backend::Reduction& op, std::span<const double> elements) {
  using Algorithm = backend::Reduction::Algorithm;
  double sum = 0;
  double absolute = 0;
  double squares = 0;
  double largest = -INFINITY;
  double least = INFINITY;
  for (const double x : elements) {
    sum += x;
    absolute += std::abs(x);
    squares += x * x;
    largest = std::isnan(largest) || x <= largest ? largest : x;
    least = std::isnan(least) || x >= least ? least : x;
  }
  switch (op.algorithm) {
    case Algorithm::kSum:
      return sum;
    case Algorithm::kMean:
      return sum / static_cast<double>(elements.size());
    case Algorithm::kMax:
      return largest;
    case Algorithm::kMin:
      return least;
    default:
      return op.p == 1 ? absolute : std::sqrt(squares);
  }
}

}  // namespace lazynet::testing
