#pragma once

#include <cmath>

namespace lazynet::backend::reference {

// So written that NaN goes through.
inline double Relu(double x) { return x < 0 ? 0 : x; }
inline double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace lazynet::backend::reference
