#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/onednn/own/packed_product.h"
#include "engine/backend/op.h"

namespace lazynet::backend::own {

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

}  // namespace lazynet::backend::own
