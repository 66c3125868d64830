#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace lazynet::server {

// Runs a function on a thread of its own whenever it is asked to. Requests that come while it runs
// make it run once more. Safe for use by many threads.
class Reloader {
 public:
  // `reload` should look at its token between steps: the destructor waits for it.
  explicit Reloader(std::function<void(const std::stop_token&)> reload);

  void Request();

 private:
  void Work(const std::stop_token& stop);

  const std::function<void(const std::stop_token&)> reload_;
  std::mutex mutex_;  // guards requested_
  std::condition_variable_any changed_;
  bool requested_ = false;
  std::jthread thread_;  // last: it uses all others
};

}  // namespace lazynet::server
