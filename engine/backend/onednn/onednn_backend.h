#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace lazynet::backend {

// The backend that computes FP32 with oneDNN. `fallback` prepares the ops that oneDNN has no right
// or fast kernel for, and all that have values of other dtypes; it must understand dense layouts.
// Without one (null) those ops are UNIMPLEMENTED. The dtypes supported are FP32 and the fallback's.
// The vector width of its kernels is oneDNN's choice, which the environment variable
// DNNL_MAX_CPU_ISA limits.
std::unique_ptr<Backend> MakeOnednnBackend(std::unique_ptr<Backend> fallback);

}  // namespace lazynet::backend
