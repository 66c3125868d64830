#include "engine/plan/program.h"

#include "engine/backend/threads.h"

namespace lazynet::plan {

template <typename AfterStep>
absl::Status Program::RunSteps(const Memory& memory, const AfterStep& after_step) const {
  const auto source = [&](const Location& location) -> const std::byte* {
    switch (location.kind) {
      case Location::Kind::kNone:
        return nullptr;
      case Location::Kind::kArena:
        return memory.arena + location.at;
      case Location::Kind::kInput:
        return memory.inputs[location.at];
      case Location::Kind::kOutput:
        return memory.outputs[location.at];
    }
    return nullptr;
  };
  auto* const srcs = reinterpret_cast<const std::byte**>(memory.scratch);
  std::byte* const scratch = memory.scratch + pointer_bytes_;
  int threads = 0;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    auto* const dst = const_cast<std::byte*>(source(step.dst));
    if (dst == nullptr) continue;  // an output that is left out
    const size_t count = step.srcs.size();
    for (size_t src = 0; src < count; ++src) srcs[src] = source(step.srcs[src]);
    if (step.threads != threads) {
      threads = step.threads;
      backend::SetKernelThreads(threads);
    }
    RETURN_IF_ERROR(step.kernel->Run({{srcs, count}, dst, scratch}));
    after_step(i);
  }
  return absl::OkStatus();
}

absl::Status Program::Run(const Memory& memory) const {
  return RunSteps(memory, [](size_t) {});
}

absl::Status Program::Profile(const Memory& memory,
                              std::span<std::chrono::nanoseconds> times) const {
  using Clock = std::chrono::steady_clock;
  LAZYNET_CHECK(times.size() == steps_.size());
  Clock::time_point begin = Clock::now();
  return RunSteps(memory, [&](size_t step) {
    const Clock::time_point end = Clock::now();
    times[step] += end - begin;
    begin = end;
  });
}

absl::StatusOr<const Program*> Program::Careful() const {
  if (make_careful_ == nullptr) return this;
  const std::lock_guard lock(mutex_);
  if (careful_ == nullptr) {
    ASSIGN_OR_RETURN(careful_, make_careful_());
  }
  return careful_.get();
}

}  // namespace lazynet::plan
