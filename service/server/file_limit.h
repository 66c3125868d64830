#pragma once

namespace lazynet::server {

// Lets the process have as many open files as the system permits it: connections are such, and the
// limit that a shell sets is for programs of another time. Call at the start of main.
void RaiseFileLimit();

}  // namespace lazynet::server
