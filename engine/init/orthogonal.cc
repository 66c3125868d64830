#include "engine/init/orthogonal.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

#include "engine/core/check.h"
#include "engine/init/distributions.h"

// LAPACK's symbols; Debian installs no C header with them.
extern "C" {
void sgeqrf_(const int* m, const int* n, float* a, const int* lda, float* tau, float* work,
             const int* lwork, int* info);
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void sorgqr_(const int* m, const int* n, const int* k, float* a, const int* lda, const float* tau,
             float* work, const int* lwork, int* info);
void dorgqr_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau,
             double* work, const int* lwork, int* info);
}

namespace lazynet::init {
namespace {

template <typename T>
struct Lapack;
template <>
struct Lapack<float> {
  static constexpr auto kGeqrf = sgeqrf_;
  static constexpr auto kOrgqr = sorgqr_;
};
template <>
struct Lapack<double> {
  static constexpr auto kGeqrf = dgeqrf_;
  static constexpr auto kOrgqr = dorgqr_;
};

// A matrix [m, n] with m >= n, column after column, becomes Q of its QR decomposition.
template <typename T>
class QrDecomposition {
 public:
  QrDecomposition(int m, int n) : m_(m), n_(n) {}

  // The work space that LAPACK asks for decides how it blocks, and so the last bits.
  absl::Status Allocate() {
    T geqrf_size = 0;
    T orgqr_size = 0;
    Geqrf(nullptr, nullptr, &geqrf_size, kQuery);
    Orgqr(nullptr, nullptr, &orgqr_size, kQuery);
    geqrf_work_ = std::max(n_, static_cast<int>(geqrf_size));
    orgqr_work_ = std::max(1, static_cast<int>(orgqr_size));
    ASSIGN_OR_RETURN(tau_, Tensor::Allocate(DTypeOf<T>(), Shape{n_}));
    ASSIGN_OR_RETURN(signs_, Tensor::Allocate(DTypeOf<T>(), Shape{n_}));
    ASSIGN_OR_RETURN(work_,
                     Tensor::Allocate(DTypeOf<T>(), Shape{std::max(geqrf_work_, orgqr_work_)}));
    return absl::OkStatus();
  }

  void Run(T* matrix) {
    T* const tau = tau_.mutable_view().template values<T>().data();
    T* const work = work_.mutable_view().template values<T>().data();
    Geqrf(matrix, tau, work, geqrf_work_);
    const std::span<T> signs = signs_.mutable_view().template values<T>();
    for (size_t i = 0; i < signs.size(); ++i) {
      const T diagonal = matrix[i * static_cast<size_t>(m_) + i];
      signs[i] = static_cast<T>((diagonal > T{0}) - (diagonal < T{0}));
    }
    Orgqr(matrix, tau, work, orgqr_work_);
    for (const T sign : signs) {
      for (int i = 0; i < m_; ++i) *matrix++ *= sign;
    }
  }

 private:
  static constexpr int kQuery = -1;

  // LAPACK reports only wrong arguments, which would be ours.
  void Geqrf(T* matrix, T* tau, T* work, int work_size) const {
    int info = 0;
    Lapack<T>::kGeqrf(&m_, &n_, matrix, &m_, tau, work, &work_size, &info);
    LAZYNET_CHECK(info == 0);
  }
  void Orgqr(T* matrix, const T* tau, T* work, int work_size) const {
    int info = 0;
    Lapack<T>::kOrgqr(&m_, &n_, &n_, matrix, &m_, tau, work, &work_size, &info);
    LAZYNET_CHECK(info == 0);
  }

  const int m_;
  const int n_;
  int geqrf_work_ = 0;
  int orgqr_work_ = 0;
  Tensor tau_;
  Tensor signs_;
  Tensor work_;
};

// to[j, i] = from[i, j], in squares that stay in the cache.
template <typename T>
void Transpose(const T* from, int64_t rows, int64_t cols, T* to) {
  constexpr int64_t kSide = 32;
  for (int64_t row = 0; row < rows; row += kSide) {
    for (int64_t col = 0; col < cols; col += kSide) {
      for (int64_t i = row; i < std::min(rows, row + kSide); ++i) {
        for (int64_t j = col; j < std::min(cols, col + kSide); ++j) {
          to[j * rows + i] = from[i * cols + j];
        }
      }
    }
  }
}

template <typename T>
absl::Status OrthogonalOf(Generator& generator, double gain, const MutableTensorView& dst) {
  const int64_t rows = dst.shape.dim(0);
  const int64_t cols = dst.shape.num_elements() / rows;
  LAZYNET_CHECK(cols <= std::numeric_limits<int>::max());
  QrDecomposition<T> qr(static_cast<int>(std::max(rows, cols)),
                        static_cast<int>(std::min(rows, cols)));
  RETURN_IF_ERROR(qr.Allocate());
  const std::span<T> values = dst.values<T>();
  if (rows < cols) {
    // PyTorch decomposes the transposed matrix, whose columns are the rows that lie here.
    Normal(generator, 0.0, 1.0, dst);
    qr.Run(values.data());
  } else {
    ASSIGN_OR_RETURN(Tensor columns, Tensor::Allocate(dst.dtype, Shape{cols, rows}));
    T* const transposed = columns.mutable_view().values<T>().data();
    Normal(generator, 0.0, 1.0, dst);
    Transpose(values.data(), rows, cols, transposed);
    qr.Run(transposed);
    Transpose(transposed, cols, rows, values.data());
  }
  for (T& value : values) value *= static_cast<T>(gain);
  return absl::OkStatus();
}

}  // namespace

absl::Status Orthogonal(Generator& generator, double gain, const MutableTensorView& dst) {
  LAZYNET_CHECK(dst.dtype == DType::kFp32 || dst.dtype == DType::kFp64);
  LAZYNET_CHECK(dst.shape.rank() >= 2);
  if (dst.shape.num_elements() == 0) return absl::OkStatus();
  return dst.dtype == DType::kFp32 ? OrthogonalOf<float>(generator, gain, dst)
                                   : OrthogonalOf<double>(generator, gain, dst);
}

}  // namespace lazynet::init
