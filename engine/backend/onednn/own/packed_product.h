#pragma once

#include <cstdint>

#include "engine/backend/onednn/own/isa.h"

namespace lazynet::backend::own {

// Vectors of units in a block: the most of one gate, and those of each of three.
inline constexpr int64_t kMostVectors = 4;
inline constexpr int64_t kVectorsOfThree = 2;

// A matrix [gates * units, inputs] and a bias as they are multiplied with: in blocks of
// neighbouring units, each of which is read from its beginning to its end by a loop that has its
// results in registers. [blocks][1 + inputs][gates][units of a block], the bias first; zeros stand
// for the units beyond the last one. Gates: 1, 3 or 4.
struct PackedProduct {
  PackedProduct(Isa isa, int64_t gates, int64_t units, int64_t inputs);

  // `element(row, input)` and `bias(row)` of the matrix; writes `floats` floats.
  template <typename Element, typename Bias>
  void Pack(const Element& element, const Bias& bias, float* packed) const;

  int64_t gates;
  int64_t units;
  int64_t inputs;
  int64_t block_units;  // whole vectors
  int64_t blocks;
  int64_t floats;
};

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
