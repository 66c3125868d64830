#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/op.h"

namespace lazynet::backend::own {

// A matrix [gates * units, inputs] and a bias as they are multiplied with: in blocks of
// neighbouring units, each of which is read from its beginning to its end by a loop that has its
// results in registers. [blocks][1 + inputs][gates][units of a block], the bias first; zeros stand
// for the units beyond the last one.
struct PackedProduct {
  PackedProduct(Isa isa, int64_t gates, int64_t units, int64_t inputs);

  // `element(row, input)` and `bias(row)` of the matrix; writes `floats` floats.
  template <typename Element, typename Bias>
  void Pack(const Element& element, const Bias& bias, float* packed) const;

  int64_t gates;
  int64_t units;
  int64_t inputs;
  int64_t block_units;
  int64_t blocks;
  int64_t floats;
};

// The op Recurrent. Sizes as in op.h: T = steps, N = batch, I = inputs, H = hidden, P = output.
struct Recurrence {
  Recurrent::Cell cell = Recurrent::Cell::kLstm;
  bool reverse = false;
  int64_t steps = 1;
  int64_t batch = 1;
  int64_t inputs = 1;
  int64_t hidden = 1;
  int64_t output = 1;
  // Packed, with all biases but GRU's of the iteration's n in the layer's.
  const float* layer = nullptr;
  const float* iteration = nullptr;
  const float* projection = nullptr;  // null: none, and P = H
};

// What a run reads and writes: the items [first, first + count) of the batch, so that several
// threads may take some each.
struct RecurrenceOperands {
  const float* src = nullptr;
  const float* hidden = nullptr;  // null: zeros
  const float* cell = nullptr;    // null: zeros
  float* dst = nullptr;
  float* scratch = nullptr;  // aligned to Buffer::kAlignment
  int64_t first = 0;
  int64_t count = 1;
};

int64_t Gates(Recurrent::Cell cell);

// Of a run of `count` items.
size_t ScratchBytes(Isa isa, const Recurrence& recurrence, int64_t count);

// Runs on one thread. An item's result does not depend on the others.
using RecurrenceFunction = void (*)(const Recurrence& recurrence,
                                    const RecurrenceOperands& operands);
RecurrenceFunction SelectRecurrence(Isa isa);

template <typename Element, typename Bias>
void PackedProduct::Pack(const Element& element, const Bias& bias, float* packed) const {
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t line = 0; line <= inputs; ++line) {
      for (int64_t gate = 0; gate < gates; ++gate) {
        for (int64_t i = 0; i < block_units; ++i) {
          const int64_t unit = block * block_units + i;
          const int64_t row = gate * units + unit;
          *packed++ = unit >= units ? 0 : line == 0 ? bias(row) : element(row, line - 1);
        }
      }
    }
  }
}

}  // namespace lazynet::backend::own
