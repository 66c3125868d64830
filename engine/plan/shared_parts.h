#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <tuple>
#include <utility>
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
  // Told how many bytes more, or less, programs take, by whatever thread stored one or dropped the
  // last plan of one; as plans may outlive this, until the last one is gone.
  using Observer = std::function<void(int64_t bytes)>;
  explicit ProgramStore(Observer observer = nullptr) : observer_(std::move(observer)) {}

  // A program is told apart by the input shapes it was built for, what was to be computed in, and
  // its number of threads.
  using Key = std::tuple<std::vector<Shape>, DType, int>;

  // Null when there is none.
  std::shared_ptr<const Program> Find(const Key& key);

  // Stores a program. The pointer that is returned is the one to keep: its program is counted.
  std::shared_ptr<const Program> Insert(Key key, std::shared_ptr<const Program> program);

 private:
  const Observer observer_;
  std::mutex mutex_;  // guards programs_
  absl::flat_hash_map<Key, std::weak_ptr<const Program>> programs_;
};

// What the plans of one parameter set share.
struct SharedParts {
  explicit SharedParts(backend::PackedWeights::Observer packed_observer = nullptr,
                       backend::PackedWeights::Admission admission = nullptr,
                       ProgramStore::Observer program_observer = nullptr)
      : packed(std::move(packed_observer), std::move(admission)),
        programs(std::move(program_observer)) {}

  backend::PackedWeights packed;
  ProgramStore programs;
  BatchFamilies families;
};

}  // namespace lazynet::plan
