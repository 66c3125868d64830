#include "service/server/signals.h"

#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>

namespace lazynet::server {
namespace {

// Handlers, since signals that are blocked in our threads still end the process where a library
// has started one before main, as OpenBLAS does. A post for each count.
sem_t events;
std::atomic<int> stops = 0;
std::atomic<int> reloads = 0;
std::atomic<int> stop_signal = SIGTERM;
std::atomic<bool> catches_stops = false;

void OnSignal(int signal) {
  // As a shell says it of a process that a signal ended.
  if (signal != SIGHUP && !catches_stops) _exit(128 + signal);
  const int error = errno;
  if (signal == SIGHUP) {
    ++reloads;
  } else {
    stop_signal = signal;
    ++stops;
  }
  sem_post(&events);
  errno = error;
}

// Of one count, if it is there.
bool TakeOne(std::atomic<int>& count) {
  int there = count.load();
  while (there > 0) {
    if (count.compare_exchange_weak(there, there - 1)) return true;
  }
  return false;
}

Signals::Event TakeEvent() {
  if (TakeOne(stops)) return Signals::Event::kStop;
  if (TakeOne(reloads)) return Signals::Event::kReload;
  return Signals::Event::kWoken;
}

}  // namespace

Signals::Signals() {
  stops = reloads = 0;
  catches_stops = false;
  sem_init(&events, 0, 0);
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaction(signal, &action, nullptr);
}

void Signals::CatchStops() { catches_stops = true; }

Signals::Event Signals::Wait() {
  while (sem_wait(&events) != 0) {
  }
  return TakeEvent();
}

std::optional<Signals::Event> Signals::WaitUntil(std::chrono::steady_clock::time_point deadline) {
  using std::chrono::duration_cast;
  const auto since = deadline.time_since_epoch();
  const auto seconds = duration_cast<std::chrono::seconds>(since);
  const auto rest = duration_cast<std::chrono::nanoseconds>(since - seconds);
  const timespec time = {.tv_sec = static_cast<time_t>(seconds.count()),
                         .tv_nsec = static_cast<long>(rest.count())};
  while (sem_clockwait(&events, CLOCK_MONOTONIC, &time) != 0) {
    if (errno == ETIMEDOUT) return std::nullopt;
  }
  return TakeEvent();
}

const char* Signals::stop_name() const { return stop_signal == SIGINT ? "SIGINT" : "SIGTERM"; }

void Signals::Wake() { sem_post(&events); }

}  // namespace lazynet::server
