#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

struct Bags {
  EmbeddingBag op;
  int64_t ids = 0;    // how many there are in all
  int64_t bags = 0;   // how many bags
  int64_t rows = 0;   // of the table
  int64_t width = 0;  // of a row
  std::string layer;
};

// Of the ids of a bag, the first and the one behind the last.
struct Range {
  int64_t begin;
  int64_t end;
};

template <typename Id>
Range RangeOf(const Bags& bags, const Id* offsets, int64_t bag) {
  if (offsets == nullptr) {
    const int64_t length = bags.ids / bags.bags;
    return {bag * length, (bag + 1) * length};
  }
  const bool last = bag + 1 == bags.bags && !bags.op.include_last_offset;
  return {offsets[bag], last ? bags.ids : offsets[bag + 1]};
}

template <typename Id>
absl::Status CheckOffsets(const Bags& bags, const Id* offsets) {
  bool fits = RangeOf(bags, offsets, 0).begin == 0;
  for (int64_t bag = 0; fits && bag < bags.bags; ++bag) {
    const Range range = RangeOf(bags, offsets, bag);
    fits = range.begin <= range.end && range.end <= bags.ids;
  }
  if (fits) return absl::OkStatus();
  return InvalidArgument("layer \"{}\": wants offsets that ascend from 0 to at most {}", bags.layer,
                         bags.ids);
}

template <typename T, typename Id>
absl::Status Sum(const Bags& bags, const AnyOperands& operands) {
  const Id* ids = operands.src<Id>(0);
  const Id* offsets = operands.src<Id>(1);
  const T* table = operands.src<T>(2);
  const T* weights = operands.src<T>(3);
  RETURN_IF_ERROR(CheckOffsets(bags, offsets));
  const bool max = bags.op.mode == EmbeddingBag::Mode::kMax;
  const std::span<double> sums(operands.scratch(), static_cast<size_t>(bags.width));
  for (int64_t bag = 0; bag < bags.bags; ++bag) {
    std::fill(sums.begin(), sums.end(), 0.0);
    int64_t count = 0;
    const Range range = RangeOf(bags, offsets, bag);
    for (int64_t i = range.begin; i < range.end; ++i) {
      const int64_t id = ids[i];
      if (id < 0 || id >= bags.rows) {
        return InvalidArgument("layer \"{}\": wants ids in [0, {}), got {}", bags.layer, bags.rows,
                               id);
      }
      if (id == bags.op.padding_idx) continue;
      const T* row = table + id * bags.width;
      const double weight = weights != nullptr ? static_cast<double>(weights[i]) : 1.0;
      for (size_t k = 0; k < sums.size(); ++k) {
        const double value = static_cast<double>(row[k]);
        if (!max) {
          sums[k] += value * weight;
        } else if (count == 0 || value > sums[k]) {
          sums[k] = value;
        }
      }
      ++count;
    }
    const bool mean = bags.op.mode == EmbeddingBag::Mode::kMean && count > 0;
    const double divisor = mean ? static_cast<double>(count) : 1.0;
    T* dst = operands.dst<T>() + bag * bags.width;
    for (size_t k = 0; k < sums.size(); ++k) dst[k] = static_cast<T>(sums[k] / divisor);
  }
  return absl::OkStatus();
}

template <typename T>
AnyRun RunBy(Bags bags, DType ids) {
  const auto width = static_cast<size_t>(bags.width);
  AnyRun run = [bags = std::move(bags), ids](const AnyOperands& operands) {
    return ids == DType::kInt32 ? Sum<T, int32_t>(bags, operands) : Sum<T, int64_t>(bags, operands);
  };
  run.scratch = width;
  return run;
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const EmbeddingBag& kind, const Graph& graph, const Op& op) {
  const Value& ids = graph.value(op.inputs[0]);
  const Value& table = graph.value(op.inputs[2]);
  if (ids.dtype != DType::kInt32 && ids.dtype != DType::kInt64) {
    return Unimplemented("embedding bag by ids of {}", Name(ids.dtype));
  }
  Bags bags{.op = kind,
            .ids = ids.shape.num_elements(),
            .bags = graph.value(op.output).shape.dim(0),
            .rows = table.shape.dim(0),
            .width = table.shape.dim(1),
            .layer = op.layer};
  if (table.dtype == DType::kFp32) return RunBy<float>(std::move(bags), ids.dtype);
  if (table.dtype == DType::kFp64) return RunBy<double>(std::move(bags), ids.dtype);
  return Unimplemented("embedding bag of {}", Name(table.dtype));
}

}  // namespace lazynet::backend::reference
