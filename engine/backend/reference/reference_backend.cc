#include "engine/backend/reference/reference_backend.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend {
namespace {

using reference::AnyOperands;
using reference::AnyRun;
using reference::Computation;
using reference::MakeComputation;
using reference::MakeRun;
using reference::Operands;
using reference::OpShapes;

class ReferenceKernel : public Kernel {
 public:
  ReferenceKernel(std::vector<Tensor> constants, AnyRun run)
      : constants_(std::move(constants)), run_(std::move(run)) {}

  absl::Status Run(const Buffers& buffers) const override {
    return run_.run(AnyOperands(constants_, buffers));
  }

 private:
  std::vector<Tensor> constants_;
  AnyRun run_;
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

// One entry per input, a default Tensor where the input is no constant.
absl::StatusOr<std::vector<Tensor>> MakeConstants(const Graph& graph, const Op& op) {
  std::vector<Tensor> constants(op.inputs.size());
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const ValueId id = op.inputs[i];
    if (id == kNoValue || !graph.value(id).is_constant()) continue;
    ASSIGN_OR_RETURN(constants[i], graph.constant(id).make());
    LAZYNET_CHECK(constants[i].dtype() == graph.value(id).dtype &&
                  constants[i].shape() == graph.value(id).shape);
  }
  return constants;
}

absl::StatusOr<PreparedOp> Prepared(const Graph& graph, const Op& op, AnyRun run) {
  ASSIGN_OR_RETURN(std::vector<Tensor> constants, MakeConstants(graph, op));
  const size_t scratch = run.scratch;
  const bool in_place = run.in_place && !graph.value(op.inputs.front()).is_constant();
  PreparedOp prepared = Dense(
      std::make_unique<ReferenceKernel>(std::move(constants), std::move(run)), op.inputs.size());
  prepared.scratch_bytes = scratch * sizeof(double);
  prepared.in_place = in_place;
  return prepared;
}

template <typename T, typename Kind>
absl::StatusOr<PreparedOp> PrepareComputation(const Kind& kind, const Graph& graph, const Op& op) {
  OpShapes shapes = {.srcs = std::vector<Shape>(op.inputs.size()),
                     .dst = graph.value(op.output).shape};
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    if (op.inputs[i] == kNoValue) continue;
    const Value& value = graph.value(op.inputs[i]);
    if (value.dtype != DTypeOf<T>()) {
      return Unimplemented("{} of {} and {}", Name(op.kind), Name(DTypeOf<T>()), Name(value.dtype));
    }
    shapes.srcs[i] = value.shape;
  }
  const Computation<T> computation = MakeComputation<T>(kind, shapes);
  AnyRun run = [each = computation.run](const AnyOperands& operands) {
    each(Operands<T>(operands));
    return absl::OkStatus();
  };
  run.scratch = computation.scratch;
  run.in_place = computation.in_place;
  return Prepared(graph, op, std::move(run));
}

// Whether MakeComputation knows the op.
template <typename Kind>
concept HasComputation = requires(const Kind& kind, const OpShapes& shapes) {
  MakeComputation<float>(kind, shapes);
};

// Whether MakeRun does.
template <typename Kind>
concept TakesAnyDType = requires(const Kind& kind, const Graph& graph, const Op& op) {
  MakeRun(kind, graph, op);
};

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
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (HasComputation<Kind>) {
          if (dtype == DType::kFp32) return PrepareComputation<float>(kind, graph, op);
          if (dtype == DType::kFp64) return PrepareComputation<double>(kind, graph, op);
        }
        if constexpr (TakesAnyDType<Kind>) {
          ASSIGN_OR_RETURN(AnyRun run, MakeRun(kind, graph, op));
          return Prepared(graph, op, std::move(run));
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
