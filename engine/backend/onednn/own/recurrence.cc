#include "engine/backend/onednn/own/recurrence.h"

#include <algorithm>
#include <utility>

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

// Steps whose layer's part is computed at once: enough rows for the weights to be read rarely, and
// so few that what is made of them stays in the cache.
int64_t StepsAtOnce(const Recurrence& recurrence, int64_t count) {
  constexpr int64_t kRows = 64;
  return std::clamp<int64_t>(kRows / count, 1, recurrence.steps);
}

// The scratch memory of a run.
struct Scratch {
  Scratch(const Recurrence& recurrence, const PackedProduct& product, int64_t count, float* begin) {
    float* end = begin;
    const auto take = [&](int64_t size) { return std::exchange(end, end + size); };
    const int64_t line = product.gates * product.block_units;
    layer = take(product.blocks * StepsAtOnce(recurrence, count) * count * line);
    block = take(count * line);
    projected = take(count * kMostVectors * Avx512::kLanes);
    zeros = take(count * recurrence.output);
    unprojected = take(recurrence.projection != nullptr ? count * recurrence.hidden : 0);
    floats = end - begin;
  }

  float* layer;        // [blocks][rows][gates][units of a block]
  float* block;        // [items][gates][units of a block], the iteration's part
  float* projected;    // [items][outputs of a block]
  float* zeros;        // [items][P]
  float* unprojected;  // [items][H]
  int64_t floats;
};

#define LAZYNET_KERNELS "engine/backend/onednn/own/recurrence.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

int64_t Gates(Recurrent::Cell cell) {
  return cell == Recurrent::Cell::kLstm ? 4 : cell == Recurrent::Cell::kGru ? 3 : 1;
}

size_t ScratchBytes(Isa isa, const Recurrence& recurrence, int64_t count) {
  const PackedProduct product(isa, Gates(recurrence.cell), recurrence.hidden, recurrence.inputs);
  return static_cast<size_t>(Scratch(recurrence, product, count, nullptr).floats) * sizeof(float);
}

RecurrenceFunction SelectRecurrence(Isa isa) {
  return Select<RecurrenceFunction>(isa, sse2::Recur, avx2::Recur, avx512::Recur);
}

}  // namespace lazynet::backend::own
