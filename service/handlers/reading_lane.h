#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lazynet::handlers {

// The threads that read requests which take long to read: compressed ones, and large ones. The
// poller, which all calls need, never does.
class ReadingLane {
 public:
  using Work = std::function<void()>;

  // So many may wait.
  ReadingLane(size_t threads, size_t capacity);

  // Does what waits, and joins the threads.
  ~ReadingLane();
  ReadingLane(const ReadingLane&) = delete;
  ReadingLane& operator=(const ReadingLane&) = delete;

  // Calls `work` on one of the threads, in its turn. False, without a call, when too much waits
  // already.
  bool Submit(Work work);

 private:
  void Serve();

  const size_t capacity_;
  std::mutex mutex_;  // guards the two below
  std::deque<Work> waiting_;
  bool stopping_ = false;
  std::condition_variable work_;
  std::vector<std::thread> threads_;
};

}  // namespace lazynet::handlers
