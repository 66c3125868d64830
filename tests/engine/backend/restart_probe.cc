// Tells with what settings and arguments it was started again, which ctest compares.

#include <cstdio>
#include <cstdlib>

#include "engine/backend/threads.h"

int main(int argc, char** argv) {
  lazynet::backend::RestartWithBriefWaits(argv);
  const char* count = std::getenv("GOMP_SPINCOUNT");
  std::printf("%s of", count == nullptr ? "none" : count);
  for (int i = 1; i < argc; ++i) std::printf(" %s", argv[i]);
  std::printf("\n");
}
