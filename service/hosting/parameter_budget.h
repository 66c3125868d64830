#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "engine/core/status.h"

namespace lazynet::hosting {

// The bytes of parameters that all networks of the process may have together. Safe for use by many
// threads.
class ParameterBudget {
 public:
  explicit ParameterBudget(size_t limit) : limit_(limit) {}

  // Bytes that are taken as long as this lives. The budget must outlive it.
  class Share {
   public:
    Share(ParameterBudget& budget, size_t bytes) : budget_(budget), bytes_(bytes) {}
    ~Share() { budget_.Return(bytes_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    ParameterBudget& budget_;
    const size_t bytes_;
  };

  // RESOURCE_EXHAUSTED, with numbers, when so much is not left.
  absl::StatusOr<std::unique_ptr<Share>> Take(size_t bytes);

  // What Take would answer.
  absl::Status Check(size_t bytes) const;

  size_t used() const;

 private:
  absl::Status CheckLocked(size_t bytes) const;
  void Return(size_t bytes);

  const size_t limit_;
  mutable std::mutex mutex_;  // guards used_
  size_t used_ = 0;
};

}  // namespace lazynet::hosting
