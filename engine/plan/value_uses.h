#pragma once

#include <vector>

#include "engine/backend/graph.h"

namespace lazynet::plan {

// When the values of a graph are read for the last time. A reshape makes a view of its input: what
// a value and its views are used for counts for all of them.
class ValueUses {
 public:
  explicit ValueUses(const backend::Graph& graph);

  // What a value is a view of; itself if of nothing.
  backend::ValueId root(backend::ValueId id) const { return root_[static_cast<size_t>(id)]; }

  // The index of the last op that reads it; the number of ops if it is an output, -1 if nobody
  // does.
  int last(backend::ValueId id) const { return last_[static_cast<size_t>(root(id))]; }

 private:
  std::vector<backend::ValueId> root_;
  std::vector<int> last_;  // per root
};

}  // namespace lazynet::plan
