#include "service/server/reloader.h"

#include <utility>

namespace lazynet::server {

Reloader::Reloader(std::function<void(const std::stop_token&)> reload)
    : reload_(std::move(reload)), thread_([this](const std::stop_token& stop) { Work(stop); }) {}

void Reloader::Request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  changed_.notify_one();
}

void Reloader::Work(const std::stop_token& stop) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return requested_; })) return;
      requested_ = false;
    }
    if (stop.stop_requested()) return;
    reload_(stop);
  }
}

}  // namespace lazynet::server
