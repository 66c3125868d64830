#include "engine/backend/onednn/own/packed_product.h"

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

int64_t Lanes(Isa isa) { return Select(isa, Sse2::kLanes, Avx2::kLanes, Avx512::kLanes); }

int64_t Quotient(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Vectors of units that a block has of each gate. A line of four or six vectors in all keeps the
// multipliers busy where there is one row only, and leaves registers for more; of few units, blocks
// of equal size are the ones with the fewest zeros.
int64_t UnitVectors(int64_t gates, int64_t vectors) {
  if (gates == 1) return Quotient(vectors, Quotient(vectors, kMostVectors));
  return gates == 3 ? kVectorsOfThree : 1;
}

}  // namespace

PackedProduct::PackedProduct(Isa isa, int64_t the_gates, int64_t the_units, int64_t the_inputs)
    : gates(the_gates),
      units(the_units),
      inputs(the_inputs),
      block_units(UnitVectors(gates, Quotient(units, Lanes(isa))) * Lanes(isa)),
      blocks(Quotient(units, block_units)),
      floats(blocks * (1 + inputs) * gates * block_units) {}

}  // namespace lazynet::backend::own
