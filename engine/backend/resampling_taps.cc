#include "engine/backend/resampling_taps.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace lazynet::backend {
namespace {

using Tap = ResamplingTaps::Tap;

// What of a Resampling concerns one axis.
struct Axis {
  bool align_corners;
  double scale;
  int64_t src_size;
  int64_t dst_size;
  bool one_channel;  // of two or three axes: PyTorch takes such images for channels-last
  bool doubles;      // of FP64
};

int64_t NearestIndex(const Axis& axis, int64_t i, double shift) {
  const double at = static_cast<double>(i) + shift;
  const float place = axis.doubles && !axis.one_channel
                          ? static_cast<float>(at * axis.scale)
                          : static_cast<float>(at) * static_cast<float>(axis.scale);
  return std::min(static_cast<int64_t>(std::floor(place)), axis.src_size - 1);
}

int64_t NearestIndex(const Axis& axis, int64_t i) {
  if (axis.one_channel) {
    if (axis.dst_size == axis.src_size) return i;
    if (axis.dst_size == 2 * axis.src_size) return i / 2;
  }
  return NearestIndex(axis, i, 0);
}

void AddLinear(const Axis& axis, int64_t i, std::vector<Tap>& taps) {
  if (axis.dst_size == axis.src_size) {
    taps.insert(taps.end(), {{i, 1}, {i, 0}});
    return;
  }
  const auto at = static_cast<double>(i);
  const double place =
      axis.align_corners ? at * axis.scale : std::max(0.0, axis.scale * (at + 0.5) - 0.5);
  const int64_t first = std::min(static_cast<int64_t>(place), axis.src_size - 1);
  const double rest = std::clamp(place - static_cast<double>(first), 0.0, 1.0);
  taps.insert(taps.end(), {{first, 1 - rest}, {std::min(first + 1, axis.src_size - 1), rest}});
}

// Keys' cubic kernel with parameter a.
double Cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

double Triangle(double x) { return std::max(1 - std::abs(x), 0.0); }

void AddCubic(const Axis& axis, int64_t i, std::vector<Tap>& taps) {
  const auto at = static_cast<double>(i);
  const double place = axis.align_corners ? at * axis.scale : axis.scale * (at + 0.5) - 0.5;
  const double floor = std::floor(place);
  for (int tap = -1; tap <= 2; ++tap) {
    const int64_t index = static_cast<int64_t>(floor) + tap;
    taps.push_back(
        {std::clamp<int64_t>(index, 0, axis.src_size - 1), Cubic(floor + tap - place, -0.75)});
  }
}

void AddAntialiased(const Axis& axis, int64_t i, bool cubic, std::vector<Tap>& taps) {
  const double stretch = std::max(axis.scale, 1.0);
  const double support = (cubic ? 2 : 1) * stretch;
  const double centre = axis.scale * (static_cast<double>(i) + 0.5);
  const int64_t first =
      std::clamp<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0, axis.src_size - 1);
  const int64_t end =
      std::clamp(static_cast<int64_t>(centre + support + 0.5), first + 1, axis.src_size);
  const size_t begin = taps.size();
  double sum = 0;
  for (int64_t index = first; index < end; ++index) {
    const double x = (static_cast<double>(index) - centre + 0.5) / stretch;
    taps.push_back({index, cubic ? Cubic(x, -0.5) : Triangle(x)});
    sum += taps.back().weight;
  }
  if (sum == 0) return;
  for (Tap& tap : std::span(taps).subspan(begin)) tap.weight /= sum;
}

}  // namespace

ResamplingTaps MakeResamplingTaps(const Resampling& op, size_t axis, const Shape& src,
                                  const Shape& dst, DType dtype) {
  using Mode = Resampling::Mode;
  const int at = static_cast<int>(axis) + 2;
  const Axis of{.align_corners = op.align_corners,
                .scale = op.scales[axis],
                .src_size = src.dim(at),
                .dst_size = dst.dim(at),
                .one_channel = src.rank() > 3 && src.dim(1) == 1,
                .doubles = dtype == DType::kFp64};
  ResamplingTaps result;
  for (int64_t i = 0; i < of.dst_size; ++i) {
    result.begins.push_back(result.taps.size());
    switch (op.mode) {
      case Mode::kNearest:
        result.taps.push_back({NearestIndex(of, i), 1});
        break;
      case Mode::kNearestExact:
        result.taps.push_back({NearestIndex(of, i, 0.5), 1});
        break;
      case Mode::kLinear:
        AddLinear(of, i, result.taps);
        break;
      case Mode::kCubic:
        AddCubic(of, i, result.taps);
        break;
      case Mode::kAntialiasedLinear:
      case Mode::kAntialiasedCubic:
        AddAntialiased(of, i, op.mode == Mode::kAntialiasedCubic, result.taps);
        break;
    }
  }
  result.begins.push_back(result.taps.size());
  return result;
}

}  // namespace lazynet::backend
