#pragma once

namespace lazynet::server {

// Tells malloc to keep large blocks instead of giving them back to the system: with glibc's
// defaults each message of a few hundred KB is mapped, trimmed and faulted in again, measured at a
// tenth of the request rate. Call at the start of main.
void TuneHeap();

}  // namespace lazynet::server
