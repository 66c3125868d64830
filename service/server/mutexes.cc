#include "service/server/mutexes.h"

#include "absl/synchronization/mutex.h"

namespace lazynet::server {

void TuneMutexes() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

}  // namespace lazynet::server
