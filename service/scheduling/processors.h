#pragma once

#include "service/scheduling/control_groups.h"

namespace lazynet::scheduling {

// How many processors the process may keep busy, at least 1: those of its affinity mask, or the
// whole ones of its control group's CPU quota (v2 cpu.max, v1 cpu.cfs_quota_us) or a group's around
// it, whichever is less. A container's limit is such a quota.
int AvailableProcessors(const SystemFolders& folders = {});

// The quota alone, in processors; infinite when there is none.
double ProcessorQuota(const SystemFolders& folders);

}  // namespace lazynet::scheduling
