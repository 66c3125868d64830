#include <algorithm>
#include <string>
#include <vector>

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

// Where bag i starts; bags + 1 numbers.
template <typename Id>
absl::StatusOr<std::vector<int64_t>> Bounds(const Bags& bags, const Id* offsets) {
  std::vector<int64_t> bounds;
  if (offsets == nullptr) {
    const int64_t length = bags.ids / bags.bags;
    for (int64_t bag = 0; bag <= bags.bags; ++bag) bounds.push_back(bag * length);
    return bounds;
  }
  const int64_t given = bags.bags + (bags.op.include_last_offset ? 1 : 0);
  bounds.assign(offsets, offsets + given);
  if (!bags.op.include_last_offset) bounds.push_back(bags.ids);
  const bool fits = bounds.front() == 0 && bounds.back() <= bags.ids &&
                    std::is_sorted(bounds.begin(), bounds.end());
  if (fits) return bounds;
  return InvalidArgument("layer \"{}\": wants offsets that ascend from 0 to at most {}", bags.layer,
                         bags.ids);
}

template <typename T, typename Id>
absl::Status Sum(const Bags& bags, const AnyOperands& operands) {
  const Id* ids = operands.src<Id>(0);
  const T* table = operands.src<T>(2);
  const T* weights = operands.src<T>(3);
  ASSIGN_OR_RETURN(const std::vector<int64_t> bounds, Bounds(bags, operands.src<Id>(1)));
  const bool max = bags.op.mode == EmbeddingBag::Mode::kMax;
  std::vector<double> sums(static_cast<size_t>(bags.width));
  for (int64_t bag = 0; bag < bags.bags; ++bag) {
    std::fill(sums.begin(), sums.end(), 0.0);
    int64_t count = 0;
    for (int64_t i = bounds[static_cast<size_t>(bag)]; i < bounds[static_cast<size_t>(bag) + 1];
         ++i) {
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
  return [bags = std::move(bags), ids](const AnyOperands& operands) {
    return ids == DType::kInt32 ? Sum<T, int32_t>(bags, operands) : Sum<T, int64_t>(bags, operands);
  };
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
