#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/backend/packed_weights.h"
#include "engine/core/dtype.h"
#include "engine/core/shape.h"
#include "engine/plan/batch_family.h"
#include "engine/plan/program.h"

namespace lazynet::plan {

// The programs that plans have in common: one for a group of items serves batches of many sizes.
// Kept as long as a plan uses them. Safe for use by many threads.
class ProgramStore {
 public:
  // A program is told apart by the input shapes it was built for, what was to be computed in, and
  // its number of threads.
  using Key = std::tuple<std::vector<Shape>, DType, int>;

  // Null when there is none.
  std::shared_ptr<const Program> Find(const Key& key);
  void Insert(Key key, const std::shared_ptr<const Program>& program);

 private:
  std::mutex mutex_;  // guards programs_
  absl::flat_hash_map<Key, std::weak_ptr<const Program>> programs_;
};

// What the plans of one parameter set share.
struct SharedParts {
  explicit SharedParts(backend::PackedWeights::Observer observer = nullptr)
      : packed(std::move(observer)) {}

  backend::PackedWeights packed;
  ProgramStore programs;
  BatchFamilies families;
};

}  // namespace lazynet::plan
