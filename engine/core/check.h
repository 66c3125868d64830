#pragma once

namespace lazynet {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace lazynet

// Ends the process when an invariant of ours is broken. Outside input never reaches a CHECK.
#define LAZYNET_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::lazynet::CheckFailed(#condition, __FILE__, __LINE__))
