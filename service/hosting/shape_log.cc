#include "service/hosting/shape_log.h"

#include <spdlog/spdlog.h>

namespace lazynet::hosting {
void ShapeLog::Load() {
  if (state_ == nullptr) return;
  const std::string& name = definition_.network->name();
  auto loaded = state_->LoadShapes(name, definition_.version, definition_.fingerprint);
  if (!loaded.ok()) {
    spdlog::warn("model {} version {}: the remembered shapes are not used: {}", name,
                 definition_.version, Message(loaded.status()));
    return;
  }
  if (!*loaded) return;
  remembered_ = **std::move(loaded);
  saved_ = shapes_ = remembered_;
  shapes_.Age();
}

void ShapeLog::Clear() {
  shapes_ = ShapeHistory();
  saved_ = ShapeHistory();
}

absl::Status ShapeLog::Record(BoundNetwork* bound) {
  if (state_ == nullptr) return absl::OkStatus();
  if (bound != nullptr) {
    for (const auto& [plan, uses] : bound->plans.TakeUses()) {
      // The one for many threads is looked for whenever the other one is.
      if (plan->threads() == 1) shapes_.Add(plan->input_shapes(), uses);
    }
  }
  if (shapes_.SameOrder(saved_)) return absl::OkStatus();
  RETURN_IF_ERROR(state_->SaveShapes(definition_.network->name(), definition_.version,
                                     definition_.fingerprint, shapes_));
  saved_ = shapes_;
  return absl::OkStatus();
}

}  // namespace lazynet::hosting
