#include "engine/backend/reference/product.h"

#include <algorithm>
#include <limits>
#include <type_traits>

// BLAS, of Fortran: matrices lie column by column, arguments are addresses.
// c [m, n] = alpha op(a) op(b) + beta c, op being the matrix ("N") or its transpose ("T").
extern "C" void dgemm_(const char* op_a, const char* op_b, const int* m, const int* n, const int* k,
                       const double* alpha, const double* a, const int* a_stride, const double* b,
                       const int* b_stride, const double* beta, double* c, const int* c_stride);

namespace lazynet::backend::reference {
namespace {

// So many rows of a stay in the cache while b passes by.
constexpr int64_t kTileRows = 32;

template <typename A, typename B>
double Dot(const A* a, const B* b, int64_t size) {
  // Sums that do not wait for each other, for the compiler to keep in vectors.
  constexpr int64_t kLanes = 8;
  double lanes[kLanes] = {};
  const int64_t whole = size - size % kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    }
  }
  double sum = 0;
  for (int64_t i = whole; i < size; ++i) sum += static_cast<double>(a[i]) * b[i];
  for (const double lane : lanes) sum += lane;
  return sum;
}

// One tile of rows.
template <typename A, typename B>
void AddTile(const ProductShape& shape, int64_t rows, const A* a, const B* b, double* sums) {
  if (shape.transpose_b) {
    for (int64_t n = 0; n < shape.columns; ++n) {
      for (int64_t m = 0; m < rows; ++m) {
        sums[m * shape.dst_stride + n] +=
            Dot(a + m * shape.a_stride, b + n * shape.b_stride, shape.inner);
      }
    }
    return;
  }
  for (int64_t k = 0; k < shape.inner; ++k) {
    const B* b_row = b + k * shape.b_stride;
    for (int64_t m = 0; m < rows; ++m) {
      const double factor = a[m * shape.a_stride + k];
      double* sums_row = sums + m * shape.dst_stride;
      for (int64_t n = 0; n < shape.columns; ++n) sums_row[n] += factor * b_row[n];
    }
  }
}

// By BLAS, whose rows are our columns: it is given the transposed product, b^T a^T. False, and
// nothing done, where a size is beyond its integers.
bool AddByBlas(const ProductShape& shape, const double* a, const double* b, double* sums) {
  const int64_t largest = std::max(
      {shape.rows, shape.columns, shape.inner, shape.a_stride, shape.b_stride, shape.dst_stride});
  if (largest > std::numeric_limits<int>::max()) return false;
  const auto rows = static_cast<int>(shape.rows);
  const auto columns = static_cast<int>(shape.columns);
  const auto inner = static_cast<int>(shape.inner);
  const auto a_stride = static_cast<int>(std::max<int64_t>(shape.a_stride, 1));
  const auto b_stride = static_cast<int>(std::max<int64_t>(shape.b_stride, 1));
  const auto dst_stride = static_cast<int>(shape.dst_stride);
  const double one = 1;
  dgemm_(shape.transpose_b ? "T" : "N", "N", &columns, &rows, &inner, &one, b, &b_stride, a,
         &a_stride, &one, sums, &dst_stride);
  return true;
}

}  // namespace

ProductShape DenseProduct(int64_t rows, int64_t columns, int64_t inner, bool transpose_b) {
  return {.rows = rows,
          .columns = columns,
          .inner = inner,
          .a_stride = inner,
          .b_stride = transpose_b ? inner : columns,
          .dst_stride = columns,
          .transpose_b = transpose_b};
}

template <typename A, typename B>
void AddProduct(const ProductShape& shape, const A* a, const B* b, double* sums) {
  if constexpr (std::is_same_v<A, double> && std::is_same_v<B, double>) {
    if (AddByBlas(shape, a, b, sums)) return;
  }
  for (int64_t row = 0; row < shape.rows; row += kTileRows) {
    AddTile(shape, std::min(kTileRows, shape.rows - row), a + row * shape.a_stride, b,
            sums + row * shape.dst_stride);
  }
}

template void AddProduct(const ProductShape&, const float*, const float*, double*);
template void AddProduct(const ProductShape&, const double*, const float*, double*);
template void AddProduct(const ProductShape&, const double*, const double*, double*);

template <typename T>
int64_t MultiplyScratch(const ProductShape& shape) {
  return std::is_same_v<T, double> ? 0 : std::min(kTileRows, shape.rows) * shape.columns;
}

template <typename T>
void Multiply(const ProductShape& shape, const T* a, const T* b, const T* bias, double alpha,
              double* scratch, T* dst) {
  // Sums of doubles lie in dst itself, all at once; others are rounded tile by tile.
  constexpr bool kInPlace = std::is_same_v<T, double>;
  ProductShape tile = shape;
  for (int64_t row = 0; row < shape.rows; row += tile.rows) {
    if (!kInPlace) tile.rows = std::min(kTileRows, shape.rows - row);
    double* sums = scratch;
    if constexpr (kInPlace) sums = dst;
    std::fill_n(sums, tile.rows * tile.columns, 0.0);
    AddProduct(tile, a + row * tile.a_stride, b, sums);
    for (int64_t m = 0; m < tile.rows; ++m, sums += tile.columns, dst += tile.columns) {
      for (int64_t n = 0; n < tile.columns; ++n) {
        dst[n] = static_cast<T>(alpha * sums[n] + (bias != nullptr ? bias[n] : T{0}));
      }
    }
  }
}

template int64_t MultiplyScratch<float>(const ProductShape&);
template int64_t MultiplyScratch<double>(const ProductShape&);
template void Multiply(const ProductShape&, const float*, const float*, const float*, double,
                       double*, float*);
template void Multiply(const ProductShape&, const double*, const double*, const double*, double,
                       double*, double*);

}  // namespace lazynet::backend::reference
