#pragma once

#include <utility>

#include "engine/backend/backend.h"

namespace lazynet::backend {

// A kernel that is a function of (src, dst, scratch), all FP32, and cannot fail.
template <typename F>
class OwnKernel final : public Kernel {
 public:
  explicit OwnKernel(F function) : function_(std::move(function)) {}

  absl::Status Run(const Buffers& buffers) const override {
    function_(reinterpret_cast<const float*>(buffers.srcs[0]),
              reinterpret_cast<float*>(buffers.dst), reinterpret_cast<float*>(buffers.scratch));
    return absl::OkStatus();
  }

 private:
  F function_;
};

template <typename F>
std::unique_ptr<Kernel> MakeOwnKernel(F function) {
  return std::make_unique<OwnKernel<F>>(std::move(function));
}

}  // namespace lazynet::backend
