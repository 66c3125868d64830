#include <algorithm>
#include <span>
#include <utility>

#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {
namespace {

using dnnl::memory;
using Cell = Recurrent::Cell;

// Inputs as in op.h.
constexpr int kSrc = 0;
constexpr int kWeightsLayer = 1;
constexpr int kWeightsIter = 2;
constexpr int kBiasLayer = 3;
constexpr int kBiasIter = 4;
constexpr int kProjection = 5;
constexpr int kInitialHidden = 6;
constexpr int kInitialCell = 7;

// All of one layer and one direction, whose axes come first in oneDNN's dims.
struct Descs {
  memory::desc src, src_iter, src_iter_c;
  memory::desc weights_layer, weights_iter, projection;
  memory::desc bias;
  memory::desc dst, dst_iter, dst_iter_c;
};

// PyTorch's [gates * hidden, inputs] as (1, 1, inputs, gates, hidden).
memory::desc PlainWeights(const memory::dims& dims, memory::dim gates) {
  const memory::dim hidden = dims[0] / gates;
  const memory::dim inputs = dims[1];
  const memory::dim size = dims[0] * inputs;
  return memory::desc({1, 1, inputs, gates, hidden}, memory::data_type::f32,
                      memory::dims{size, size, 1, hidden * inputs, inputs});
}

// PyTorch's [P, H] as (1, 1, H, P).
memory::desc PlainProjection(const memory::dims& dims) {
  const memory::dim size = dims[0] * dims[1];
  return memory::desc({1, 1, dims[1], dims[0]}, memory::data_type::f32,
                      memory::dims{size, size, 1, dims[1]});
}

memory::dim Gates(Cell cell) { return cell == Cell::kLstm ? 4 : cell == Cell::kGru ? 3 : 1; }

// oneDNN's GRU has the update gate before the reset gate: `values` with the first two of three
// equal parts exchanged.
void ExchangeGates(std::span<float> values) {
  const auto part = static_cast<ptrdiff_t>(values.size() / 3);
  std::swap_ranges(values.begin(), values.begin() + part, values.begin() + part);
}

// A bias [gates * hidden] in oneDNN's order of gates, or zeros.
absl::StatusOr<std::vector<float>> Bias(const OpContext& context, int input, Cell cell,
                                        size_t size) {
  std::vector<float> bias(size);
  if (context.has(input)) {
    ASSIGN_OR_RETURN(const Tensor tensor, context.MakeConstant(input));
    std::ranges::copy(tensor.values<float>(), bias.begin());
  }
  if (cell == Cell::kGru) ExchangeGates(bias);
  return bias;
}

absl::StatusOr<std::shared_ptr<const Buffer>> Constant(const std::vector<float>& values) {
  ASSIGN_OR_RETURN(Buffer buffer, Buffer::Allocate(values.size() * sizeof(float)));
  std::copy_n(values.data(), values.size(), reinterpret_cast<float*>(buffer.data()));
  return std::make_shared<const Buffer>(std::move(buffer));
}

// The biases of layer and iteration added up; but for GRU, whose last gate keeps them apart.
absl::StatusOr<Argument> BiasArgument(const OpContext& context, Cell cell,
                                      const memory::desc& desc) {
  const auto size = static_cast<size_t>(context.src_dims(kWeightsLayer)[0]);
  ASSIGN_OR_RETURN(std::vector<float> bias, Bias(context, kBiasLayer, cell, size));
  ASSIGN_OR_RETURN(const std::vector<float> iter, Bias(context, kBiasIter, cell, size));
  const size_t shared = cell == Cell::kGru ? size / 3 * 2 : size;
  for (size_t i = 0; i < shared; ++i) bias[i] += iter[i];
  bias.insert(bias.end(), iter.begin() + static_cast<ptrdiff_t>(shared), iter.end());
  ASSIGN_OR_RETURN(auto buffer, Constant(bias));
  return Argument{DNNL_ARG_BIAS, desc, Argument::kConstant, std::move(buffer)};
}

absl::StatusOr<Argument> WeightsArgument(const OpContext& context, Cell cell, int id, int input,
                                         const memory::desc& wanted) {
  const memory::desc plain = PlainWeights(context.src_dims(input), Gates(cell));
  if (cell != Cell::kGru) return context.ConstantArgument(id, input, plain, wanted);
  const auto make = [&]() -> absl::StatusOr<Tensor> {
    ASSIGN_OR_RETURN(const Tensor tensor, context.MakeConstant(input));
    ASSIGN_OR_RETURN(Tensor exchanged, Tensor::Allocate(tensor.dtype(), tensor.shape()));
    const auto values = exchanged.mutable_view().values<float>();
    std::ranges::copy(tensor.values<float>(), values.begin());
    ExchangeGates(values);
    return exchanged;
  };
  return context.PackedArgument(id, context.constant_key(input) + "/zrn", make, plain, wanted);
}

// An initial state; zeros where it is absent.
absl::StatusOr<Argument> StateArgument(const OpContext& context, int id, int input,
                                       const memory::desc& desc) {
  if (context.has(input)) return context.SrcArgument(id, input, desc);
  const std::vector<float> zeros(desc.get_size() / sizeof(float));
  ASSIGN_OR_RETURN(auto buffer, Constant(zeros));
  return Argument{id, desc, Argument::kConstant, std::move(buffer)};
}

// Whether no weights are in a packed format, which has no strides.
template <typename PrimitiveDesc>
bool HasStrides(const PrimitiveDesc& desc) {
  std::vector<memory::desc> weights = {desc.weights_layer_desc(), desc.weights_iter_desc()};
  if constexpr (requires { desc.weights_projection_desc(); }) {
    weights.push_back(desc.weights_projection_desc());
  }
  return std::ranges::all_of(weights, [](const memory::desc& each) {
    return each.is_zero() || each.data.format_kind == dnnl_blocked;
  });
}

// With weights as oneDNN likes them best, if those have strides.
template <typename Describe>
auto DescribeBest(Descs& descs, const Describe& describe) {
  auto desc = describe(descs);
  if (HasStrides(desc)) return desc;
  for (memory::desc* weights : {&descs.weights_layer, &descs.weights_iter, &descs.projection}) {
    if (!weights->is_zero()) *weights = DenseDesc(weights->dims());
  }
  return describe(descs);
}

// `arguments` are those of the one kind of cell only; the others are added.
template <typename Primitive, typename PrimitiveDesc>
absl::StatusOr<PreparedOp> PrepareCell(const OpContext& context, Cell cell, const Descs& descs,
                                       const PrimitiveDesc& desc, std::vector<Argument> arguments) {
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   context.SrcArgument(DNNL_ARG_SRC_LAYER, kSrc, descs.src));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   StateArgument(context, DNNL_ARG_SRC_ITER, kInitialHidden, descs.src_iter));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   WeightsArgument(context, cell, DNNL_ARG_WEIGHTS_LAYER, kWeightsLayer,
                                   desc.weights_layer_desc()));
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   WeightsArgument(context, cell, DNNL_ARG_WEIGHTS_ITER, kWeightsIter,
                                   desc.weights_iter_desc()));
  ASSIGN_OR_RETURN(arguments.emplace_back(), BiasArgument(context, cell, descs.bias));
  arguments.push_back({DNNL_ARG_DST_LAYER, descs.dst, Argument::kDst, nullptr});
  return Prepared(context, desc, Primitive(desc), std::move(arguments));
}

absl::StatusOr<PreparedOp> PrepareLstm(const OpContext& context, dnnl::rnn_direction direction,
                                       Descs descs) {
  const auto desc = DescribeBest(descs, [&](const Descs& d) {
    return dnnl::lstm_forward::primitive_desc(
        {dnnl::prop_kind::forward_inference, direction, d.src, d.src_iter, d.src_iter_c,
         d.weights_layer, d.weights_iter, memory::desc(), d.projection, d.bias, d.dst, d.dst_iter,
         d.dst_iter_c},
        UserScratchpad(), CpuEngine());
  });
  std::vector<Argument> arguments;
  ASSIGN_OR_RETURN(arguments.emplace_back(),
                   StateArgument(context, DNNL_ARG_SRC_ITER_C, kInitialCell, descs.src_iter_c));
  if (context.has(kProjection)) {
    ASSIGN_OR_RETURN(arguments.emplace_back(),
                     context.ConstantArgument(DNNL_ARG_WEIGHTS_PROJECTION, kProjection,
                                              PlainProjection(context.src_dims(kProjection)),
                                              desc.weights_projection_desc()));
  }
  // The last cell state wants the last hidden state beside it, which nobody reads: it goes behind
  // the scratchpad.
  const size_t behind = Buffer::Align(desc.scratchpad_desc().get_size());
  arguments.push_back({DNNL_ARG_DST_ITER, descs.dst_iter, Argument::kScratch, nullptr, behind});
  arguments.push_back(
      {DNNL_ARG_DST_ITER_C, descs.dst_iter_c, Argument::kDst, nullptr, descs.dst.get_size()});
  ASSIGN_OR_RETURN(
      PreparedOp prepared,
      PrepareCell<dnnl::lstm_forward>(context, Cell::kLstm, descs, desc, std::move(arguments)));
  prepared.scratch_bytes = behind + descs.dst_iter.get_size();
  return prepared;
}

}  // namespace

absl::StatusOr<PreparedOp> Prepare(const OpContext& context, const Recurrent& op) {
  // oneDNN's relu loses NaN.
  if (op.cell == Cell::kRnnRelu) return context.Fallback();
  for (int input = kWeightsLayer; input <= kProjection; ++input) {
    if (context.has(input) && !context.is_constant(input)) return context.Fallback();
  }
  const memory::dims src = context.src_dims(kSrc);
  const memory::dim gates = Gates(op.cell);
  const memory::dim hidden = context.src_dims(kWeightsLayer)[0] / gates;
  const memory::dim output = context.src_dims(kWeightsIter)[1];
  Descs descs;
  descs.src = DenseDesc(src);
  descs.src_iter = descs.dst_iter = DenseDesc({1, 1, src[1], output});
  descs.src_iter_c = descs.dst_iter_c = DenseDesc({1, 1, src[1], hidden});
  descs.weights_layer = AnyDesc({1, 1, src[2], gates, hidden});
  descs.weights_iter = AnyDesc({1, 1, output, gates, hidden});
  if (context.has(kProjection)) descs.projection = AnyDesc({1, 1, hidden, output});
  descs.bias = DenseDesc({1, 1, op.cell == Cell::kGru ? gates + 1 : gates, hidden});
  descs.dst = DenseDesc({src[0], src[1], output});

  const auto direction = op.reverse ? dnnl::rnn_direction::unidirectional_right2left
                                    : dnnl::rnn_direction::unidirectional_left2right;
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  if (op.cell == Cell::kLstm) return PrepareLstm(context, direction, std::move(descs));
  if (op.cell == Cell::kGru) {
    const auto desc = DescribeBest(descs, [&](const Descs& d) {
      return dnnl::lbr_gru_forward::primitive_desc(
          {kInference, direction, d.src, d.src_iter, d.weights_layer, d.weights_iter, d.bias, d.dst,
           memory::desc()},
          UserScratchpad(), CpuEngine());
    });
    return PrepareCell<dnnl::lbr_gru_forward>(context, op.cell, descs, desc, {});
  }
  const auto desc = DescribeBest(descs, [&](const Descs& d) {
    return dnnl::vanilla_rnn_forward::primitive_desc(
        {kInference, dnnl::algorithm::eltwise_tanh, direction, d.src, d.src_iter, d.weights_layer,
         d.weights_iter, d.bias, d.dst, memory::desc()},
        UserScratchpad(), CpuEngine());
  });
  return PrepareCell<dnnl::vanilla_rnn_forward>(context, op.cell, descs, desc, {});
}

}  // namespace lazynet::backend
