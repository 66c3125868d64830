#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/functions.h"
#include "engine/backend/reference/product.h"

namespace lazynet::backend::reference {
namespace {

// The op's inputs, in op.h's order.
enum Input : size_t {
  kSrc,
  kWeightsLayer,
  kWeightsIter,
  kBiasLayer,
  kBiasIter,
  kProjection,
  kInitialHidden,
  kInitialCell,
};

int64_t Gates(Recurrent::Cell cell) {
  switch (cell) {
    case Recurrent::Cell::kRnnTanh:
    case Recurrent::Cell::kRnnRelu:
      return 1;
    case Recurrent::Cell::kLstm:
      return 4;
    case Recurrent::Cell::kGru:
      return 3;
  }
  LAZYNET_CHECK(false);
  return 0;
}

struct Sizes {
  int64_t steps;   // T
  int64_t batch;   // N
  int64_t inputs;  // I
  int64_t hidden;  // H
  int64_t output;  // P
  int64_t gates;   // G H
  int64_t block;   // the steps whose layer parts are computed at once
};

// The layer's part of all gates is one product for as many steps as fit into 8 MB, so that the
// weights are read rarely and a long sequence needs no more.
constexpr int64_t kBlockDoubles = int64_t{1} << 20;

Sizes SizesOf(const Recurrent& op, const OpShapes& shapes) {
  Sizes sizes = {};
  sizes.steps = shapes.srcs[kSrc].dim(0);
  sizes.batch = shapes.srcs[kSrc].dim(1);
  sizes.inputs = shapes.srcs[kSrc].dim(2);
  sizes.gates = shapes.srcs[kWeightsLayer].dim(0);
  sizes.hidden = sizes.gates / Gates(op.cell);
  sizes.output = shapes.srcs[kWeightsIter].dim(1);
  sizes.block = std::clamp<int64_t>(kBlockDoubles / (sizes.batch * sizes.gates), 1, sizes.steps);
  return sizes;
}

// The scratch memory of one run. States are kept in double from step to step.
struct State {
  State(const Sizes& sizes, double* scratch) {
    const auto take = [&](int64_t count) { return std::exchange(scratch, scratch + count); };
    layer = take(sizes.block * sizes.batch * sizes.gates);
    iteration = take(sizes.batch * sizes.gates);
    hidden = take(sizes.batch * sizes.output);
    cell = take(sizes.batch * sizes.hidden);
    unprojected = take(sizes.batch * sizes.hidden);
  }

  static int64_t Size(const Sizes& sizes) {
    return (sizes.block + 1) * sizes.batch * sizes.gates +
           sizes.batch * (sizes.output + 2 * sizes.hidden);
  }

  double* layer;        // [steps of the block, N, G H]
  double* iteration;    // [N, G H]
  double* hidden;       // [N, P]
  double* cell;         // [N, H]
  double* unprojected;  // [N, H]
};

// Fills `rows` rows of dst with `row`, or with zeros where there is none.
template <typename T>
void FillRows(const T* row, int64_t rows, int64_t size, double* dst) {
  for (int64_t i = 0; i < rows; ++i, dst += size) {
    if (row != nullptr) {
      std::copy_n(row, size, dst);
    } else {
      std::fill_n(dst, size, 0.0);
    }
  }
}

// The hidden and cell state of one item after a step, from the layer's part `a` and the iteration's
// part `b` of its gates.
void Step(Recurrent::Cell kind, int64_t size, const double* a, const double* b, double* hidden,
          double* cell) {
  const auto gate = [&](int64_t index, int64_t j) {
    return a[index * size + j] + b[index * size + j];
  };
  switch (kind) {
    case Recurrent::Cell::kRnnTanh:
      for (int64_t j = 0; j < size; ++j) hidden[j] = std::tanh(gate(0, j));
      return;
    case Recurrent::Cell::kRnnRelu:
      for (int64_t j = 0; j < size; ++j) hidden[j] = Relu(gate(0, j));
      return;
    case Recurrent::Cell::kLstm:
      for (int64_t j = 0; j < size; ++j) {
        cell[j] = Sigmoid(gate(1, j)) * cell[j] + Sigmoid(gate(0, j)) * std::tanh(gate(2, j));
        hidden[j] = Sigmoid(gate(3, j)) * std::tanh(cell[j]);
      }
      return;
    case Recurrent::Cell::kGru:
      for (int64_t j = 0; j < size; ++j) {
        const double reset = Sigmoid(gate(0, j));
        const double update = Sigmoid(gate(1, j));
        const double candidate = std::tanh(a[2 * size + j] + reset * b[2 * size + j]);
        hidden[j] = (1 - update) * candidate + update * hidden[j];
      }
      return;
  }
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Recurrent& op, const OpShapes& shapes) {
  const Sizes sizes = SizesOf(op, shapes);
  const auto run = [=](const Operands<T>& operands) {
    const State state(sizes, operands.scratch());
    const T* projection = operands.src(kProjection);
    // Without a projection, the state that a step computes is the one that the next one reads.
    double* computed = projection != nullptr ? state.unprojected : state.hidden;
    FillRows(operands.src(kInitialHidden), 1, sizes.batch * sizes.output, state.hidden);
    FillRows(operands.src(kInitialCell), 1, sizes.batch * sizes.hidden, state.cell);

    for (int64_t done = 0; done < sizes.steps; done += sizes.block) {
      const int64_t count = std::min(sizes.block, sizes.steps - done);
      const int64_t first = op.reverse ? sizes.steps - done - count : done;
      FillRows(operands.src(kBiasLayer), count * sizes.batch, sizes.gates, state.layer);
      AddProduct(DenseProduct(count * sizes.batch, sizes.gates, sizes.inputs, true),
                 operands.src(kSrc) + first * sizes.batch * sizes.inputs,
                 operands.src(kWeightsLayer), state.layer);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t in_block = op.reverse ? count - 1 - i : i;
        FillRows(operands.src(kBiasIter), sizes.batch, sizes.gates, state.iteration);
        AddProduct(DenseProduct(sizes.batch, sizes.gates, sizes.output, true), state.hidden,
                   operands.src(kWeightsIter), state.iteration);
        for (int64_t n = 0; n < sizes.batch; ++n) {
          Step(op.cell, sizes.hidden, state.layer + (in_block * sizes.batch + n) * sizes.gates,
               state.iteration + n * sizes.gates, computed + n * sizes.hidden,
               state.cell + n * sizes.hidden);
        }
        const int64_t outputs = sizes.batch * sizes.output;
        if (projection != nullptr) {
          std::fill_n(state.hidden, outputs, 0.0);
          AddProduct(DenseProduct(sizes.batch, sizes.output, sizes.hidden, true), state.unprojected,
                     projection, state.hidden);
        }
        T* dst = operands.dst() + (first + in_block) * outputs;
        for (int64_t j = 0; j < outputs; ++j) dst[j] = static_cast<T>(state.hidden[j]);
      }
    }
    if (op.cell != Recurrent::Cell::kLstm) return;
    T* last_cell = operands.dst() + sizes.steps * sizes.batch * sizes.output;
    for (int64_t j = 0; j < sizes.batch * sizes.hidden; ++j) {
      last_cell[j] = static_cast<T>(state.cell[j]);
    }
  };
  return {.run = run, .scratch = static_cast<size_t>(State::Size(sizes))};
}

LAZYNET_REFERENCE_COMPUTATION(Recurrent);

}  // namespace lazynet::backend::reference
