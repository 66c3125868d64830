#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "service/hosting/repository.h"

namespace lazynet::hosting {

// Writes to the state directory now and then which shapes requests have, of every network whose
// most used shapes changed: on a thread of its own, and once more at the end.
class ShapeRecorder {
 public:
  explicit ShapeRecorder(const Repository& repository,
                         std::chrono::milliseconds interval = std::chrono::seconds(10));
  ~ShapeRecorder();

 private:
  void Serve();
  void Record() const;

  const Repository& repository_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;  // guards stopping_
  bool stopping_ = false;
  std::condition_variable stop_;
  std::thread thread_;
};

}  // namespace lazynet::hosting
