#pragma once

namespace lazynet::server {

// Debian builds Abseil without NDEBUG, and so with a search for deadlocks at each lock of gRPC's
// mutexes: measured at a twelfth of the request rate of a small network. This turns it off. Call at
// the start of main.
void TuneMutexes();

}  // namespace lazynet::server
