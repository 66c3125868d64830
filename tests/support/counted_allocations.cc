#include "tests/engine/backend/counted_allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<size_t> allocations{0};
std::atomic<size_t> held_bytes{0};

void Release(void* memory) {
  held_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

// In a file of its own: where the compiler sees into one of the two, it takes the other for a
// fault.
void* operator new(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  ++allocations;
  held_bytes += malloc_usable_size(memory);
  return memory;
}

void operator delete(void* memory) noexcept { Release(memory); }

void operator delete(void* memory, size_t) noexcept { Release(memory); }

namespace lazynet::testing {

size_t Allocations() { return allocations; }

size_t HeldBytes() { return held_bytes; }

}  // namespace lazynet::testing
