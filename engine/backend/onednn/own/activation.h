#pragma once

#include "engine/backend/onednn/own/elementwise.h"

namespace lazynet::backend::own {

// Functions made of exp: kElu, both kGelu, kSilu, kMish, kSigmoid, kTanh, kSoftplus, kLogSigmoid
// and kExp; null for others.
template <typename T>
ElementwiseFunction<T> SelectActivation(Eltwise::Algorithm algorithm, Isa isa);

}  // namespace lazynet::backend::own
