#include "engine/backend/threads.h"

#include <omp.h>

namespace lazynet::backend {

void SetKernelThreads(int count) { omp_set_num_threads(count); }

}  // namespace lazynet::backend
