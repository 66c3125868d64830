#pragma once

#include <utility>

#include "engine/backend/backend.h"
#include "engine/backend/onednn/own/bf16.h"

namespace lazynet::backend {

// A kernel that is a function of (src, dst, scratch), the former two of elements T, and cannot
// fail.
template <typename T, typename F>
class OwnKernel final : public Kernel {
 public:
  explicit OwnKernel(F function) : function_(std::move(function)) {}

  absl::Status Run(const Buffers& buffers) const override {
    function_(reinterpret_cast<const T*>(buffers.srcs[0]), reinterpret_cast<T*>(buffers.dst),
              reinterpret_cast<float*>(buffers.scratch));
    return absl::OkStatus();
  }

 private:
  F function_;
};

template <typename T = float, typename F>
std::unique_ptr<Kernel> MakeOwnKernel(F function) {
  return std::make_unique<OwnKernel<T, F>>(std::move(function));
}

// A kernel whose src and dst are FP32 or BF16: the function that `make` makes when it is given an
// element of that type.
template <typename Make>
std::unique_ptr<Kernel> MakeOwnKernelOf(DType dtype, const Make& make) {
  if (dtype == DType::kBf16) return MakeOwnKernel<own::Bf16>(make(own::Bf16{}));
  return MakeOwnKernel<float>(make(float{}));
}

}  // namespace lazynet::backend
