#include "service/server/warm_up.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace lazynet::server {
namespace {

using Clock = std::chrono::steady_clock;

// When the build lane had no place.
constexpr std::chrono::milliseconds kRetry{10};

std::string TextOf(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? "" : ", ") + shape.ToString();
  return text;
}

// More plans would only push out those that are there.
bool IsFull(const hosting::MemoryBudget& budget) { return budget.used() > budget.limit() / 10 * 9; }

// On the build lane.
absl::Status Build(const WarmUp::Step& step) {
  if (!step.remembered) return step.network->WarmUp(step.shapes);
  // A reset or another binding came after them, or there was no memory for its parameters.
  if (step.network->bound() == nullptr || !step.network->CheckShapes(step.shapes).ok()) {
    return absl::OkStatus();
  }
  return step.network->WarmUp(step.shapes);
}

}  // namespace

// What the thread and the build lane tell each other.
struct WarmUp::Progress {
  std::mutex mutex;  // guards all below
  std::condition_variable changed;
  size_t built = 0;
  bool stopping = false;
};

std::vector<WarmUp::Step> WarmUp::StepsOf(const hosting::Repository& repository) {
  std::vector<Step> steps;
  std::vector<std::pair<uint64_t, Step>> remembered;
  for (const auto& [name, versions] : repository.models()) {
    for (const auto& [version, entry] : versions) {
      if (entry.network == nullptr) continue;
      for (const auto& shapes : entry.network->serving().warm_up) {
        steps.push_back({entry.network, shapes});
      }
      for (const auto& [shapes, uses] : entry.network->remembered_shapes().entries()) {
        remembered.push_back({uses, {entry.network, shapes, true}});
      }
    }
  }
  std::stable_sort(remembered.begin(), remembered.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (auto& [uses, step] : remembered) steps.push_back(std::move(step));
  return steps;
}

WarmUp::WarmUp(std::vector<Step> steps, scheduling::BuildLane& build_lane,
               const hosting::MemoryBudget& budget, std::chrono::nanoseconds timeout,
               std::function<void()> done)
    : progress_(std::make_shared<Progress>()),
      thread_([=, this, steps = std::move(steps), done = std::move(done), &build_lane, &budget] {
        Run(steps, build_lane, budget, timeout);
        {
          const std::lock_guard lock(progress_->mutex);
          if (progress_->stopping) return;
        }
        done();
      }) {}

WarmUp::~WarmUp() {
  {
    const std::lock_guard lock(progress_->mutex);
    progress_->stopping = true;
  }
  progress_->changed.notify_all();
  thread_.join();
}

void WarmUp::Run(const std::vector<Step>& steps, scheduling::BuildLane& build_lane,
                 const hosting::MemoryBudget& budget, std::chrono::nanoseconds timeout) {
  const auto start = Clock::now();
  const auto deadline = start + timeout;
  std::unique_lock lock(progress_->mutex);
  const auto pause_until = [&](Clock::time_point time, const auto& over) {
    progress_->changed.wait_until(lock, std::min(time, deadline),
                                  [&] { return progress_->stopping || over(); });
    return !progress_->stopping && Clock::now() < deadline;
  };
  size_t next = 0;
  bool goes_on = true;
  while (goes_on && next < steps.size() && !(steps[next].remembered && IsFull(budget))) {
    const bool accepted = build_lane.Submit([step = steps[next],
                                             progress = progress_](const absl::Status& turn) {
      const absl::Status built = turn.ok() ? Build(step) : turn;
      if (!built.ok()) {
        spdlog::warn("model {} version {} is not warm for {}: {}", step.network->network().name(),
                     step.network->version(), TextOf(step.shapes), Message(built));
      }
      {
        const std::lock_guard told(progress->mutex);
        ++progress->built;
      }
      progress->changed.notify_all();
    });
    if (!accepted) {
      goes_on = pause_until(Clock::now() + kRetry, [] { return false; });
      continue;
    }
    ++next;
    goes_on = pause_until(deadline, [&] { return progress_->built == next; });
  }
  const std::chrono::duration<double> seconds = Clock::now() - start;
  spdlog::info("warm-up: {} of {} input shapes in {:.1f} s", progress_->built, steps.size(),
               seconds.count());
}

}  // namespace lazynet::server
