// Preloaded into a server by python_client_test.py: a library that has started a thread before the
// server's main, as OpenBLAS does.

#include <unistd.h>

#include <thread>

namespace {

struct EarlyThread {
  EarlyThread() {
    std::thread([] {
      while (true) pause();
    }).detach();
  }
} early_thread;

}  // namespace
