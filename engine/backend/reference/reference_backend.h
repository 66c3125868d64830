#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "engine/backend/backend.h"

namespace lazynet::backend {

// Plain loops over dense tensors: the oracle of the tests, the path of FP64 networks, and what
// other backends fall back to. Results are what PyTorch's double precision gives, rounded to the
// dtype once: FP32 values are widened, and sums and functions computed in double, but for powers
// of two values, which are std::pow's of float. Every kernel runs on the calling thread alone.
class ReferenceBackend : public Backend {
 public:
  std::string_view name() const override { return "reference"; }

  // FP32 and FP64. What op.h allows of other dtypes is there too.
  bool Supports(DType dtype) const override;

  // Kernels read and write dense tensors only, whatever `src_layouts` says, and pack nothing.
  // UNIMPLEMENTED where the dtypes are not those of op.h.
  absl::StatusOr<PreparedOp> Prepare(const Graph& graph, const Op& op,
                                     std::span<const LayoutPtr> src_layouts,
                                     PackedWeights& packed) const override;

  // Of any dtype, from dense to dense only.
  absl::StatusOr<PreparedOp> PrepareReorder(const Value& value, const LayoutPtr& from,
                                            const LayoutPtr& to) const override;
};

std::unique_ptr<Backend> MakeReferenceBackend();

}  // namespace lazynet::backend
