#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "engine/backend/onednn/own/elementwise.h"
#include "engine/backend/onednn/own/instance_normalization.h"
#include "engine/backend/onednn/own/softmax.h"
#include "engine/backend/onednn/own/window_pooling.h"

namespace lazynet::backend::own {
namespace {

// What the machine has, which DNNL_MAX_CPU_ISA may have narrowed.
std::vector<Isa> AvailableIsas() {
  std::vector<Isa> isas{Isa::kSse2};
  if (DetectIsa() != Isa::kSse2) isas.push_back(Isa::kAvx2);
  if (DetectIsa() == Isa::kAvx512) isas.push_back(Isa::kAvx512);
  return isas;
}

// A quarter of the values is special.
std::vector<float> Specials(size_t size) {
  const float specials[] = {NAN, -NAN, std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()};
  std::mt19937 generator(3);
  std::vector<float> values;
  for (size_t i = 0; i < size; ++i) {
    const auto bits = generator();
    values.push_back(bits % 16 < 4 ? specials[bits % 4]
                                   : static_cast<float>(bits >> 8) * 0x1p-20f - 8.0f);
  }
  return values;
}

bool Same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// The other instruction sets are as good as the baseline, which the tests of the ops check when
// it is what runs.
TEST(OwnWindowPooling, InstructionSetsAgree) {
  for (const int64_t stride : {1, 2, 3}) {
    for (const int64_t inner : {1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 63, 64, 65, 100, 200}) {
      WindowPooling pooling;
      pooling.outer = 2;
      pooling.inner = inner;
      pooling.axes.fill(UnitAxis());
      for (size_t axis = 1; axis < 3; ++axis) {
        WindowAxis& windows = pooling.axes[axis];
        windows.windows.clear();
        windows.src_size = axis == 1 ? 5 : 37;
        windows.stride = stride;
        windows.padding = 1;
        windows.kernel = 3;
        for (int64_t begin = -1; begin + 3 <= windows.src_size + 1; begin += stride) {
          const int64_t first = std::max<int64_t>(begin, 0);
          const int64_t last = std::min(begin + 3, windows.src_size);
          windows.windows.push_back({first, last - first, 3});
        }
      }
      const std::vector<float> src = Specials(static_cast<size_t>(2 * inner * 5 * 37));
      const size_t size = static_cast<size_t>(2 * inner) * pooling.axes[1].windows.size() *
                          pooling.axes[2].windows.size();
      for (const auto kind : {WindowPooling::Kind::kMax, WindowPooling::Kind::kSum}) {
        pooling.kind = kind;
        std::vector<float> want(size);
        std::vector<float> scratch(ScratchBytes(pooling) / sizeof(float));
        SelectWindowPooling<float>(Isa::kSse2)(pooling, src.data(), want.data(), scratch.data());
        for (const Isa isa : AvailableIsas()) {
          std::vector<float> got(size);
          SelectWindowPooling<float>(isa)(pooling, src.data(), got.data(), scratch.data());
          for (size_t i = 0; i < size; ++i) {
            ASSERT_TRUE(Same(got[i], want[i]) || std::abs(got[i] - want[i]) < 1e-5f)
                << Name(isa) << " inner " << inner << " at " << i << ": " << got[i] << ", wanted "
                << want[i];
          }
        }
      }
    }
  }
}

TEST(OwnElementwise, InstructionSetsAgreeToTheBit) {
  const std::vector<float> src = Specials(1000);
  for (const auto algorithm : {Eltwise::Algorithm::kRelu, Eltwise::Algorithm::kClamp,
                               Eltwise::Algorithm::kLeakyRelu, Eltwise::Algorithm::kHardswish,
                               Eltwise::Algorithm::kHardsigmoid, Eltwise::Algorithm::kLinear}) {
    for (const size_t size : {size_t{1}, size_t{7}, size_t{16}, size_t{1000}}) {
      std::vector<float> want(size);
      SelectElementwise<float>(algorithm, Isa::kSse2)(src.data(), want.data(), size, 0.1f, 4.0f);
      for (const Isa isa : AvailableIsas()) {
        std::vector<float> got(size);
        SelectElementwise<float>(algorithm, isa)(src.data(), got.data(), size, 0.1f, 4.0f);
        for (size_t i = 0; i < size; ++i) {
          ASSERT_TRUE(Same(got[i], want[i])) << Name(isa) << " at " << i;
        }
      }
    }
  }
}

struct Activation {
  Eltwise op;
  double (*formula)(double);
  double lowest;  // from where on the error is relative; below, it is absolute
};

const Activation kActivations[] = {
    {{Eltwise::Algorithm::kExp}, [](double x) { return std::exp(x); }, -87},
    {{Eltwise::Algorithm::kSigmoid}, [](double x) { return 1 / (1 + std::exp(-x)); }, -87},
    {{Eltwise::Algorithm::kTanh}, [](double x) { return std::tanh(x); }, -1000},
    {{Eltwise::Algorithm::kGeluErf},
     [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); },
     -3},
    {{Eltwise::Algorithm::kGeluTanh},
     [](double x) {
       return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
     },
     -3},
    {{Eltwise::Algorithm::kSilu}, [](double x) { return x / (1 + std::exp(-x)); }, -87},
    {{Eltwise::Algorithm::kMish},
     [](double x) { return x * std::tanh(std::log1p(std::exp(x))); },
     -87},
    {{Eltwise::Algorithm::kElu, 1}, [](double x) { return x > 0 ? x : std::expm1(x); }, -1000},
    {{Eltwise::Algorithm::kSoftplus, 1, 20}, [](double x) { return std::log1p(std::exp(x)); }, -87},
    {{Eltwise::Algorithm::kLogSigmoid}, [](double x) { return -std::log1p(std::exp(-x)); }, -1000}};

std::vector<float> EveryMagnitude() {
  std::vector<float> values{0.0f, -0.0f};
  for (float x = 1e-35f; x < 88; x *= 1.0007f) {
    values.push_back(x);
    values.push_back(-x);
  }
  return values;
}

TEST(OwnActivation, IsAsGoodAsItsFormulaForEveryMagnitude) {
  const std::vector<float> src = EveryMagnitude();
  for (const Activation& activation : kActivations) {
    for (const Isa isa : AvailableIsas()) {
      std::vector<float> got(src.size());
      SelectElementwise<float>(activation.op.algorithm, isa)(
          src.data(), got.data(), src.size(), static_cast<float>(activation.op.alpha),
          static_cast<float>(activation.op.beta));
      for (size_t i = 0; i < src.size(); ++i) {
        const double want = activation.formula(src[i]);
        if (std::abs(want) < 1.2e-38 && want != 0) continue;
        const double error = src[i] < activation.lowest ? 1e-8 : 1e-6 * std::abs(want);
        ASSERT_NEAR(got[i], want, error)
            << static_cast<int>(activation.op.algorithm) << " " << Name(isa) << " of " << src[i];
        if (want == 0) {
          ASSERT_EQ(std::signbit(got[i]), std::signbit(want)) << src[i];
        }
      }
    }
  }
}

// Also where it is at the end, or alone: items of a batch must not depend on their neighbours.
TEST(OwnActivation, GivesAValueTheSameBitsWhereverItIs) {
  const std::vector<float> src = Specials(67);
  for (const Activation& activation : kActivations) {
    for (const Isa isa : AvailableIsas()) {
      const auto run = SelectElementwise<float>(activation.op.algorithm, isa);
      const auto alpha = static_cast<float>(activation.op.alpha);
      const auto beta = static_cast<float>(activation.op.beta);
      std::vector<float> whole(src.size());
      run(src.data(), whole.data(), src.size(), alpha, beta);
      for (size_t i = 0; i < src.size(); ++i) {
        float alone = 0;
        run(&src[i], &alone, 1, alpha, beta);
        ASSERT_TRUE(Same(alone, whole[i])) << Name(isa) << " of " << src[i];
      }
    }
  }
}

TEST(OwnActivation, TanhAndSigmoidStayWithinTheirBounds) {
  std::vector<float> src;
  for (float x = 4; x < 100; x = std::nextafter(x, 1e3f) + 1e-5f) src.push_back(x);
  std::vector<float> got(src.size());
  for (const Isa isa : AvailableIsas()) {
    for (const auto algorithm : {Eltwise::Algorithm::kTanh, Eltwise::Algorithm::kSigmoid}) {
      SelectElementwise<float>(algorithm, isa)(src.data(), got.data(), src.size(), 0, 0);
      for (size_t i = 0; i < src.size(); ++i) {
        ASSERT_LE(got[i], 1.0f) << Name(isa) << " of " << src[i];
        if (src[i] > 20) {
          ASSERT_EQ(got[i], 1.0f) << Name(isa) << " of " << src[i];
        }
      }
    }
  }
}

TEST(OwnSoftmax, InstructionSetsAgree) {
  for (const bool log : {false, true}) {
    for (const int64_t size : {1, 2, 10, 16, 21, 100}) {
      for (const int64_t inner : {1, 3, 16, 37}) {
        const SoftmaxShape shape{2, size, inner, log};
        const auto elements = static_cast<size_t>(2 * size * inner);
        std::mt19937 generator(1);
        std::vector<float> src(elements);
        for (float& x : src) x = static_cast<float>(generator() >> 8) * 0x1p-18f - 32.0f;
        for (const Isa isa : AvailableIsas()) {
          std::vector<float> got(elements);
          SelectSoftmax<float>(isa)(shape, src.data(), got.data(), nullptr);
          for (size_t i = 0; i < elements; ++i) {
            const auto step = static_cast<size_t>(inner);
            const size_t first =
                i / (step * static_cast<size_t>(size)) * step * static_cast<size_t>(size) +
                i % step;
            double max = -1e9;
            for (size_t k = 0; k < static_cast<size_t>(size); ++k) {
              max = std::max(max, double{src[first + k * step]});
            }
            double sum = 0;
            for (size_t k = 0; k < static_cast<size_t>(size); ++k) {
              sum += std::exp(src[first + k * step] - max);
            }
            const double want = log ? src[i] - max - std::log(sum) : std::exp(src[i] - max) / sum;
            // Roundings of exp, of the sum of up to 100 terms, of its inverse and of the product;
            // the logarithm is a difference of numbers up to 64.
            const double tolerance = log ? 1e-5 : 1e-6 * want + 1e-30;
            ASSERT_NEAR(got[i], want, tolerance)
                << Name(isa) << " size " << size << " inner " << inner << " at " << i;
          }
        }
      }
    }
  }
}

TEST(OwnInstanceNormalization, InstructionSetsAgree) {
  for (const int64_t block : {1, 2, 4, 7, 16, 19, 40}) {
    for (const int64_t elements : {1, 5, 16, 33, 100}) {
      InstanceNormalization op{2, 3, elements, block, 1, 1e-3f, nullptr, nullptr};
      const auto channels = static_cast<size_t>(3 * block);
      const auto size = channels * static_cast<size_t>(2 * elements);
      std::mt19937 generator(1);
      std::vector<float> src(size);
      for (float& x : src) x = static_cast<float>(generator() >> 8) * 0x1p-23f + 10.0f;
      std::vector<float> scale(channels);
      std::vector<float> shift(channels);
      for (size_t c = 0; c < channels; ++c) {
        scale[c] = static_cast<float>(c) - 3.0f;
        shift[c] = static_cast<float>(c % 5);
      }
      op.scale = scale.data();
      op.shift = shift.data();
      std::vector<float> want(size);
      SelectInstanceNormalization(Isa::kSse2)(op, src.data(), want.data());
      for (const Isa isa : AvailableIsas()) {
        std::vector<float> got(size);
        SelectInstanceNormalization(isa)(op, src.data(), got.data());
        for (size_t i = 0; i < size; ++i) {
          ASSERT_NEAR(got[i], want[i], 1e-5f + 1e-5f * std::abs(want[i]))
              << Name(isa) << " block " << block << " elements " << elements << " at " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace lazynet::backend::own
