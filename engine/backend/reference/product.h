#pragma once

#include <cstdint>

namespace lazynet::backend::reference {

// a [rows, inner] times b, which is [inner, columns] or, transposed, [columns, inner]. Neighbouring
// rows of each matrix lie a stride apart.
struct ProductShape {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t inner = 0;
  int64_t a_stride = 0;
  int64_t b_stride = 0;
  int64_t dst_stride = 0;
  bool transpose_b = false;
};

// The shape of dense matrices.
ProductShape DenseProduct(int64_t rows, int64_t columns, int64_t inner, bool transpose_b);

// sums += a b, added up in double in any order. A and B: float and float, double and float (plain
// loops), double and double (BLAS). NaN and infinities of both go through.
template <typename A, typename B>
void AddProduct(const ProductShape& shape, const A* a, const B* b, double* sums);

// How many doubles Multiply wants as scratch memory.
template <typename T>
int64_t MultiplyScratch(const ProductShape& shape);

// dst = alpha a b + bias, of dense rows; bias [columns] may be null. T is float or double.
template <typename T>
void Multiply(const ProductShape& shape, const T* a, const T* b, const T* bias, double alpha,
              double* scratch, T* dst);

}  // namespace lazynet::backend::reference
