#pragma once

#include "engine/core/buffer.h"

namespace lazynet::plan {

// The memory that running plans needs besides inputs and outputs. Belongs to one lane; grows to the
// largest plan that it has run.
class Workspace {
 public:
  // Makes room for a plan. RESOURCE_EXHAUSTED when the memory cannot be had.
  absl::Status Reserve(size_t arena_bytes, size_t scratch_bytes);

  std::byte* arena() { return arena_.data(); }
  std::byte* scratch() { return scratch_.data(); }
  size_t bytes() const { return arena_.size() + scratch_.size(); }

 private:
  Buffer arena_;
  Buffer scratch_;
};

}  // namespace lazynet::plan
