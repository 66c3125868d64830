#pragma once

#include <span>
#include <vector>

#include "engine/backend/op.h"
#include "engine/core/tensor.h"

namespace lazynet::testing {

// How far a sum of so many products of numbers in [-1, 1) may be off: each is rounded once and
// joins a sum that stays small.
double Tolerance(int64_t products);

// The ops by their formulas in op.h, in double precision and plain loops. Tensors are dense FP32.
std::vector<double> InnerProductOf(const Tensor& src, const Tensor& weights, const Tensor* bias);
std::vector<double> MatMulOf(const backend::MatMul& op, const Tensor& src0, const Tensor& src1,
                             const Shape& dst);
std::vector<double> ConvolutionOf(const backend::Convolution& op, const Tensor& src,
                                  const Tensor& weights, const Tensor* bias, const Shape& dst);
std::vector<double> DeconvolutionOf(const backend::Deconvolution& op, const Tensor& src,
                                    const Tensor& weights, const Tensor* bias, const Shape& dst);
std::vector<double> PoolingOf(const backend::Pooling& op, const Tensor& src, const Shape& dst);
std::vector<double> AdaptiveAverageOf(const Tensor& src, const Shape& dst);
std::vector<double> NormalizationOf(const backend::Normalization& op, const Tensor& src,
                                    const Tensor* mean, const Tensor* variance, const Tensor* scale,
                                    const Tensor* shift);
// Not by the mean square.
std::vector<double> LayerNormalizationOf(const backend::LayerNormalization& op, const Tensor& src,
                                         const Tensor* scale, const Tensor* shift);
std::vector<double> SoftmaxOf(const backend::Softmax& op, const Tensor& src);
double EltwiseOf(const backend::Eltwise& op, double x);
// Of kSum, kMean, kMax, kMin, and kNorm with p = 1 and 2.
double ReductionOf(const backend::Reduction& op, std::span<const double> elements);

}  // namespace lazynet::testing
