#include "engine/plan/shared_parts.h"

#include <utility>

namespace lazynet::plan {

std::shared_ptr<const Program> ProgramStore::Find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = programs_.find(key);
  return found == programs_.end() ? nullptr : found->second.lock();
}

std::shared_ptr<const Program> ProgramStore::Insert(Key key,
                                                    std::shared_ptr<const Program> program) {
  if (observer_ != nullptr) {
    const auto bytes = static_cast<int64_t>(program->bytes());
    observer_(bytes);
    const Program* raw = program.get();
    program = {raw,
               [owner = std::move(program), observer = observer_, bytes](const Program*) mutable {
                 owner.reset();
                 observer(-bytes);
               }};
  }
  const std::lock_guard lock(mutex_);
  absl::erase_if(programs_, [](const auto& entry) { return entry.second.expired(); });
  programs_[std::move(key)] = program;
  return program;
}

}  // namespace lazynet::plan
