#include "engine/backend/reference/reference_backend.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend {
namespace {

using reference::Computation;
using reference::MakeComputation;
using reference::Operands;
using reference::OpShapes;

template <typename T>
class ReferenceKernel : public Kernel {
 public:
  ReferenceKernel(std::vector<Tensor> constants, std::function<void(const Operands<T>&)> run)
      : constants_(std::move(constants)), run_(std::move(run)) {}

  absl::Status Run(const Buffers& buffers) const override {
    run_(Operands<T>(constants_, buffers));
    return absl::OkStatus();
  }

 private:
  std::vector<Tensor> constants_;
  std::function<void(const Operands<T>&)> run_;
};

class CopyKernel : public Kernel {
 public:
  explicit CopyKernel(size_t bytes) : bytes_(bytes) {}

  absl::Status Run(const Buffers& buffers) const override {
    if (bytes_ > 0) std::memcpy(buffers.dst, buffers.srcs[0], bytes_);
    return absl::OkStatus();
  }

 private:
  size_t bytes_;
};

PreparedOp Dense(std::unique_ptr<Kernel> kernel, size_t inputs) {
  return {.kernel = std::move(kernel),
          .src_layouts = std::vector<LayoutPtr>(inputs),
          .dst_layout = nullptr,
          .implementation = "reference"};
}

template <typename T, typename Kind>
absl::StatusOr<PreparedOp> PrepareKind(const Kind& kind, const Graph& graph, const Op& op) {
  OpShapes shapes = {.srcs = std::vector<Shape>(op.inputs.size()),
                     .dst = graph.value(op.output).shape};
  std::vector<Tensor> constants(op.inputs.size());
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const ValueId id = op.inputs[i];
    if (id == kNoValue) continue;
    const Value& value = graph.value(id);
    if (value.dtype != DTypeOf<T>()) {
      return Unimplemented("{} of {} and {}", Name(op.kind), Name(DTypeOf<T>()), Name(value.dtype));
    }
    shapes.srcs[i] = value.shape;
    if (value.is_constant()) {
      ASSIGN_OR_RETURN(constants[i], graph.constant(id).make());
      LAZYNET_CHECK(constants[i].dtype() == value.dtype && constants[i].shape() == value.shape);
    }
  }
  Computation<T> computation = MakeComputation<T>(kind, shapes);
  PreparedOp prepared =
      Dense(std::make_unique<ReferenceKernel<T>>(std::move(constants), std::move(computation.run)),
            op.inputs.size());
  prepared.scratch_bytes = computation.sums * sizeof(double);
  prepared.in_place = computation.in_place && !graph.value(op.inputs.front()).is_constant();
  return prepared;
}

}  // namespace

bool ReferenceBackend::Supports(DType dtype) const {
  return dtype == DType::kFp32 || dtype == DType::kFp64;
}

absl::StatusOr<PreparedOp> ReferenceBackend::Prepare(const Graph& graph, const Op& op,
                                                     std::span<const LayoutPtr>,
                                                     PackedWeights&) const {
  const DType dtype = graph.value(op.output).dtype;
  return std::visit(
      [&](const auto& kind) -> absl::StatusOr<PreparedOp> {
        if constexpr (!std::is_same_v<decltype(kind), const Reshape&>) {
          if (dtype == DType::kFp32) return PrepareKind<float>(kind, graph, op);
          if (dtype == DType::kFp64) return PrepareKind<double>(kind, graph, op);
        }
        return Unimplemented("no reference {} of {}", Name(op.kind), Name(dtype));
      },
      op.kind);
}

absl::StatusOr<PreparedOp> ReferenceBackend::PrepareReorder(const Value& value,
                                                            const LayoutPtr& from,
                                                            const LayoutPtr& to) const {
  if (from != nullptr || to != nullptr) {
    return Unimplemented("the reference backend knows the dense layout only");
  }
  return Dense(std::make_unique<CopyKernel>(ByteSize(value.dtype, value.shape)), 1);
}

std::unique_ptr<Backend> MakeReferenceBackend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace lazynet::backend
