#include "service/hosting/parameter_budget.h"

namespace lazynet::hosting {

absl::Status ParameterBudget::CheckLocked(size_t bytes) const {
  if (bytes <= limit_ - used_) return absl::OkStatus();
  return ResourceExhausted(
      "wants {} bytes of parameters, and all networks of the server may have {}, of which {} are "
      "taken",
      bytes, limit_, used_);
}

absl::Status ParameterBudget::Check(size_t bytes) const {
  const std::lock_guard lock(mutex_);
  return CheckLocked(bytes);
}

absl::StatusOr<std::unique_ptr<ParameterBudget::Share>> ParameterBudget::Take(size_t bytes) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(CheckLocked(bytes));
  used_ += bytes;
  return std::make_unique<Share>(*this, bytes);
}

size_t ParameterBudget::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

void ParameterBudget::Return(size_t bytes) {
  const std::lock_guard lock(mutex_);
  used_ -= bytes;
}

}  // namespace lazynet::hosting
