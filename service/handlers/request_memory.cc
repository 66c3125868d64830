#include "service/handlers/request_memory.h"

#include <chrono>

#include "engine/core/status.h"
#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {
namespace {

// Until requests before it have been answered.
constexpr std::chrono::milliseconds kRetry{100};

}  // namespace

absl::Status RequestMemory::Share::Take(size_t bytes) {
  const size_t before = memory_.used_.fetch_add(bytes, std::memory_order_relaxed);
  if (before <= memory_.limit_ && bytes <= memory_.limit_ - before) {
    bytes_ += bytes;
    return absl::OkStatus();
  }
  memory_.used_.fetch_sub(bytes, std::memory_order_relaxed);
  return WithRetry(
      ResourceExhausted("too many large requests wait: wants {} bytes, {} of {} are in use", bytes,
                        before, memory_.limit_),
      kRetry);
}

}  // namespace lazynet::handlers
