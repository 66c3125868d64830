#pragma once

#include <map>
#include <string>

#include "engine/backend/graph.h"

namespace lazynet::plan {

// Floating-point operations of an op for the shapes of its graph, by what it computes and not by
// how a kernel does it; exact up to 2^53. A multiply-add counts as 2, any other arithmetic or
// function of one element as 1.
//
//   InnerProduct            2 K for each element of dst; a bias is what the sum starts from
//   Convolution             2 C / groups * kernel for each element of dst, padding included
//   Deconvolution           2 O / groups * kernel for each element of src, what is dropped included
//   Pooling                 kernel for each element of dst, padding included
//   AdaptiveAveragePooling  1 for each element of each bin
//   MatMul                  2 K for each element of dst
//   Normalization           2 for each element: scale and shift are known before; with statistics
//                           of src 3 more, an addition for the mean and a multiply-add for the
//                           variance
//   LayerNormalization      5 for each element, rms 4: there is no mean
//   Recurrent               2 for each weight, item and step; the gates' functions do not count
//   Softmax                 3 for each element: exponential, sum, quotient
//   Eltwise, Prelu, Binary  1 for each element of dst, whatever the function
//   all others              0: they only move
double Flops(const backend::Graph& graph, const backend::Op& op);

// The sums by Op::layer.
std::map<std::string, double> FlopsByLayer(const backend::Graph& graph);

}  // namespace lazynet::plan
