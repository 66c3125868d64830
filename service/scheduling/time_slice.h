#pragma once

namespace lazynet::scheduling {

// For a thread that computes little and is to do so at once when it is woken: asks for time slices
// of 0.1 ms in place of some 3 ms, which others keep a processor for. No more and no less of it for
// anybody. Before Linux 6.12, and where a sandbox forbids it, nothing happens.
void AskForShortTimeSlices();

}  // namespace lazynet::scheduling
