#include <omp.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "engine/backend/onednn/own/recurrence.h"
#include "engine/backend/onednn/pack_product.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/threads.h"

namespace lazynet::backend {
namespace {

using Cell = Recurrent::Cell;

// Inputs as in op.h.
constexpr int kSrc = 0;
constexpr int kWeightsLayer = 1;
constexpr int kWeightsIter = 2;
constexpr int kBiasLayer = 3;
constexpr int kBiasIter = 4;
constexpr std::array kBiases{kBiasLayer, kBiasIter};
constexpr int kProjection = 5;
constexpr int kInitialHidden = 6;
constexpr int kInitialCell = 7;

// Each thread takes items of its own, since it would wait for the others at every step.
class RecurrenceKernel final : public Kernel {
 public:
  struct Operands {
    own::Recurrence recurrence;
    std::vector<Argument> constants;  // what the recurrence points to
    std::array<Argument, 2> states;   // initial hidden and cell; kDst: absent
    int parts = 1;                    // of the items, each for a thread
    size_t scratch_bytes = 0;         // of a part
  };

  RecurrenceKernel(own::RecurrenceFunction run, Operands operands)
      : run_(run), operands_(std::move(operands)) {}

  absl::Status Run(const Buffers& buffers) const override {
    const auto run_part = [&](int64_t part, size_t) {
      RunPart(buffers, part);
      return absl::OkStatus();
    };
    if (operands_.parts == 1) return run_part(0, 0);
    return ForEachInParallel(operands_.parts, operands_.parts, run_part);
  }

 private:
  static const float* State(const Buffers& buffers, const Argument& argument) {
    if (argument.from == Argument::kDst) return nullptr;
    return reinterpret_cast<const float*>(argument.from == Argument::kConstant
                                              ? argument.constant->data()
                                              : buffers.srcs[static_cast<size_t>(argument.from)]);
  }

  void RunPart(const Buffers& buffers, int64_t part) const {
    const int64_t items = operands_.recurrence.batch;
    own::RecurrenceOperands operands;
    operands.src = reinterpret_cast<const float*>(buffers.srcs[kSrc]);
    operands.hidden = State(buffers, operands_.states[0]);
    operands.cell = State(buffers, operands_.states[1]);
    operands.dst = reinterpret_cast<float*>(buffers.dst);
    operands.scratch = reinterpret_cast<float*>(buffers.scratch + static_cast<size_t>(part) *
                                                                      operands_.scratch_bytes);
    operands.first = items * part / operands_.parts;
    operands.count = items * (part + 1) / operands_.parts - operands.first;
    run_(operands_.recurrence, operands);
  }

  own::RecurrenceFunction run_;
  Operands operands_;
};

absl::StatusOr<Argument> StateArgument(const OpContext& context, int input) {
  if (!context.has(input)) return Argument{};
  return context.SrcArgument(0, input, DenseDesc(context.src_dims(input)));
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Recurrent& op) {
  if (context.is_constant(kSrc) || context.dtype() == DType::kBf16) return context.Fallback();
  for (int input = kWeightsLayer; input <= kProjection; ++input) {
    if (context.has(input) && !context.is_constant(input)) return context.Fallback();
  }
  const own::Isa isa = own::DetectIsa();
  const dnnl::memory::dims src = context.src_dims(kSrc);
  const int64_t gates = own::Gates(op.cell);
  RecurrenceKernel::Operands operands;
  own::Recurrence& recurrence = operands.recurrence;
  recurrence.cell = op.cell;
  recurrence.reverse = op.reverse;
  recurrence.steps = src[0];
  recurrence.batch = src[1];
  recurrence.inputs = src[2];
  recurrence.hidden = context.src_dims(kWeightsLayer)[0] / gates;
  recurrence.output = context.src_dims(kWeightsIter)[1];

  // GRU multiplies the iteration's bias of its last gate, which stays apart.
  const int64_t shared = op.cell == Cell::kGru ? 2 * recurrence.hidden : gates * recurrence.hidden;
  const auto pack = [&](int weights, std::string_view purpose, int64_t of_gates, int64_t units,
                        int64_t inputs, const auto& takes) -> absl::StatusOr<const float*> {
    const own::PackedProduct product(isa, of_gates, units, inputs);
    ASSIGN_OR_RETURN(Argument argument,
                     PackProduct(context, product, weights, kBiases, purpose, takes));
    operands.constants.push_back(std::move(argument));
    return reinterpret_cast<const float*>(operands.constants.back().constant->data());
  };
  ASSIGN_OR_RETURN(recurrence.layer,
                   pack(kWeightsLayer, "layer", gates, recurrence.hidden, recurrence.inputs,
                        [&](int bias, int64_t row) { return bias == kBiasLayer || row < shared; }));
  ASSIGN_OR_RETURN(recurrence.iteration,
                   pack(kWeightsIter, "iteration", gates, recurrence.hidden, recurrence.output,
                        [&](int bias, int64_t row) { return bias == kBiasIter && row >= shared; }));
  if (context.has(kProjection)) {
    ASSIGN_OR_RETURN(recurrence.projection,
                     pack(kProjection, "projection", 1, recurrence.output, recurrence.hidden,
                          [](int, int64_t) { return false; }));
  }
  ASSIGN_OR_RETURN(operands.states[0], StateArgument(context, kInitialHidden));
  ASSIGN_OR_RETURN(operands.states[1], StateArgument(context, kInitialCell));
  operands.parts =
      static_cast<int>(std::clamp<int64_t>(omp_get_max_threads(), 1, recurrence.batch));
  const int64_t most = (recurrence.batch + operands.parts - 1) / operands.parts;
  operands.scratch_bytes = Buffer::Align(own::ScratchBytes(isa, recurrence, most));

  PreparedOp prepared;
  prepared.src_layouts.resize(static_cast<size_t>(context.inputs()));
  prepared.scratch_bytes = static_cast<size_t>(operands.parts) * operands.scratch_bytes;
  prepared.implementation = fmt::format("own:{}", own::Name(isa));
  prepared.kernel =
      std::make_unique<RecurrenceKernel>(own::SelectRecurrence(isa), std::move(operands));
  return prepared;
}

}  // namespace lazynet::backend
