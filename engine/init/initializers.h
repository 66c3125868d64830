#pragma once

#include <cstdint>
#include <string_view>

#include "engine/core/shape.h"
#include "engine/core/tensor.h"

namespace lazynet::init {

// The inputs that feed one output of a weight [out, in, kernel...]: in * kernel. PyTorch counts
// transposed convolutions, whose weights are [in, out / groups, kernel...], by the same rule. The
// rank is at least 2.
int64_t FanIn(const Shape& weight);

// The outputs that one input of it feeds, by the same rule: out * kernel.
int64_t FanOut(const Shape& weight);

// The standard deviations of torch.nn.init.kaiming_*_ and xavier_*_ in PyTorch's order of
// operations; 0 where all fans are 0. `gain` is that of gain.h.
double KaimingStd(double gain, int64_t fan);
double XavierStd(double gain, int64_t fan_in, int64_t fan_out);

// U(-bound, bound) with this bound has the standard deviation `std`.
double UniformBound(double std);

// Weights of Linear, Conv and ConvTranspose come from U(-bound, bound) with this bound: that of
// torch.nn.init.kaiming_uniform_(a=sqrt(5)). It is 1 / sqrt(fan_in) but for the last bit, which
// PyTorch's order of operations decides and FP64 parameters show. 0 for fan_in 0.
double KaimingUniformBound(int64_t fan_in);

// Their biases come from U(-bound, bound) with this bound, 1 / sqrt(fan_in); so do, with their own
// notion of fan-in, recurrent and bilinear layers. 0 for fan_in 0.
double FanInUniformBound(int64_t fan_in);

// Every element becomes `value`: rounded to nearest even for floating types (16-bit ones by way of
// FP32, as PyTorch does), truncated for integers, whose range must hold it.
void Fill(double value, const MutableTensorView& dst);

// The seed of one layer's own generator for the draw order PER_LAYER, in which a layer's values do
// not depend on other layers: 64-bit FNV-1a over the seed's eight bytes, lowest first, and the
// path's bytes ("layer1.0.conv1"), then the finalizer of splitmix64. A contract: the same on every
// platform and in every release. Generators use the low 32 bits of it.
uint64_t LayerSeed(uint64_t seed, std::string_view layer_path);

}  // namespace lazynet::init
