#include "service/hosting/shape_recorder.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <exception>

namespace lazynet::hosting {
namespace {

// Requests go first.
constexpr int kNiceness = 10;

}  // namespace

ShapeRecorder::ShapeRecorder(const Repository& repository, std::chrono::milliseconds interval)
    : repository_(repository), interval_(interval), thread_([this] { Serve(); }) {}

ShapeRecorder::~ShapeRecorder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void ShapeRecorder::Serve() {
  setpriority(PRIO_PROCESS, 0, kNiceness);
  std::unique_lock lock(mutex_);
  while (true) {
    const bool last = stop_.wait_for(lock, interval_, [this] { return stopping_; });
    lock.unlock();
    try {
      Record();
    } catch (const std::exception& failure) {
      spdlog::warn("shapes are not remembered: {}", failure.what());
    }
    lock.lock();
    if (last) return;
  }
}

void ShapeRecorder::Record() const {
  for (const auto& [name, versions] : repository_.models()) {
    for (const auto& [version, entry] : versions) {
      if (entry.network == nullptr) continue;
      const absl::Status status = entry.network->RecordShapes();
      if (status.ok()) continue;
      spdlog::warn("model {} version {}: its shapes are not remembered: {}", name, version,
                   Message(status));
    }
  }
}

}  // namespace lazynet::hosting
