#include "engine/plan/shared_parts.h"

namespace lazynet::plan {

std::shared_ptr<const Program> ProgramStore::Find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = programs_.find(key);
  return found == programs_.end() ? nullptr : found->second.lock();
}

void ProgramStore::Insert(Key key, const std::shared_ptr<const Program>& program) {
  const std::lock_guard lock(mutex_);
  absl::erase_if(programs_, [](const auto& entry) { return entry.second.expired(); });
  programs_[std::move(key)] = program;
}

}  // namespace lazynet::plan
