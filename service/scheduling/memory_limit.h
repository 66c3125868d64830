#pragma once

#include <cstddef>

#include "service/scheduling/control_groups.h"

namespace lazynet::scheduling {

// How many bytes of memory the process may take before the kernel ends it: the machine's, or the
// limit of its control group (v2 memory.max, v1 memory.limit_in_bytes) or a group's around it,
// whichever is less. A container's limit is such a one.
size_t AvailableMemory(const SystemFolders& folders = {});

// The limit alone; infinite when there is none.
double MemoryLimit(const SystemFolders& folders);

// What networks may take of so much when nobody says: four fifths. The rest is for the process
// itself, messages in flight, and what memory is lost between blocks.
size_t DefaultMemoryBudget(size_t available);

}  // namespace lazynet::scheduling
