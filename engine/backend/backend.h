#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/graph.h"

namespace lazynet::backend {

class PackedWeights;

// How a value lies in memory, as one backend understands it. A null LayoutPtr is the dense
// row-major layout, which every backend understands.
class Layout {
 public:
  virtual ~Layout() = default;
  virtual size_t bytes() const = 0;
  virtual bool Equals(const Layout& other) const = 0;

  // As oneDNN writes it: "nhwc", "nChw16c". For people.
  virtual std::string name() const = 0;
};
using LayoutPtr = std::shared_ptr<const Layout>;

bool SameLayout(const LayoutPtr& a, const LayoutPtr& b);

// Bytes of a value in a layout.
size_t LayoutBytes(const Value& value, const LayoutPtr& layout);

// "dense", or the layout's own name.
std::string LayoutName(const LayoutPtr& layout);

// One op made ready for one set of shapes. Immutable; safe for use by many threads at once, each
// with its own buffers.
class Kernel {
 public:
  struct Buffers {
    std::span<const std::byte* const> srcs;  // per operand; null for constants and absent inputs
    std::byte* dst;
    std::byte* scratch;  // aligned to Buffer::kAlignment, of the size that Prepare asked for
  };

  virtual ~Kernel() = default;

  // Allocates no tensor memory. INTERNAL when the library underneath reports a fault.
  virtual absl::Status Run(const Buffers& buffers) const = 0;
};

struct PreparedOp {
  std::unique_ptr<Kernel> kernel;

  // The layouts the kernel reads, per operand (constants: ignored). Where a value lies otherwise,
  // the plan puts a reorder in between.
  std::vector<LayoutPtr> src_layouts;
  LayoutPtr dst_layout;
  size_t scratch_bytes = 0;
  size_t kernel_bytes = 0;     // about, that the kernel takes, without packed weights
  bool in_place = false;       // dst may be the memory of srcs[0]
  int adds_to = -1;            // the operand whose memory dst has to be, as it is added to; or none
  std::string implementation;  // "brgconv:avx512_core", for people
};

// Makes kernels. Implementations are stateless but for handles to their library, and safe for use
// by many threads. The number of threads of a kernel is fixed by the thread that prepares it (its
// OpenMP setting); it runs as well on threads set to the same number.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string_view name() const = 0;

  // Whether values of this dtype can be computed with.
  virtual bool Supports(DType dtype) const = 0;

  // Whether `op` has a kernel, as fast as its FP32 one or faster, for values of `dtype` in place of
  // the FP32 values that it reads and writes; constants stay FP32. Such a kernel computes in FP32
  // and rounds what it writes. Of products (IsProduct) there is then one that writes FP32, too.
  virtual bool ComputesIn(DType dtype, const Graph& graph, const Op& op) const {
    static_cast<void>(dtype), static_cast<void>(graph), static_cast<void>(op);
    return false;
  }

  // Whether a convolution of constant weights is faster as one that may be computed by Winograd's
  // algorithm (Convolution::winograd).
  virtual bool HasWinograd(const Graph& graph, const Op& op) const {
    static_cast<void>(graph), static_cast<void>(op);
    return false;
  }

  // Whether Prepare takes `op`, with what is fused to it already, and `next`, which reads what that
  // makes, as one; and is faster so than with one after the other. An Eltwise taken so may make a
  // number of NaN, and of infinities: who calls makes sure that there are none.
  virtual bool Fuses(const Graph& graph, const Op& op, const Op& next) const {
    static_cast<void>(graph), static_cast<void>(op), static_cast<void>(next);
    return false;
  }

  // Prepares `op` of `graph`, whose operands lie as `src_layouts` say (null entries for constants).
  // Constants are read now, and packed into `packed` where the kernel wants another layout. Neither
  // Reshape nor ops with an empty output are passed. UNIMPLEMENTED when there is no such kernel; of
  // an op with others fused to it: when they had better be prepared one by one.
  virtual absl::StatusOr<PreparedOp> Prepare(const Graph& graph, const Op& op,
                                             std::span<const LayoutPtr> src_layouts,
                                             PackedWeights& packed) const = 0;

  // Prepares a copy of a value from one layout to another; one input, one output.
  virtual absl::StatusOr<PreparedOp> PrepareReorder(const Value& value, const LayoutPtr& from,
                                                    const LayoutPtr& to) const = 0;
};

}  // namespace lazynet::backend
