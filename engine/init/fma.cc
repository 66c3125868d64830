#include "engine/init/fma.h"

namespace lazynet::init {

FmaPath BestFmaPath() {
#if defined(__x86_64__)
  static const bool supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return supported ? FmaPath::kHardware : FmaPath::kPortable;
#else
  return FmaPath::kPortable;
#endif
}

}  // namespace lazynet::init
