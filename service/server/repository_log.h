#pragma once

#include <vector>

#include "service/hosting/repository.h"

namespace lazynet::server {

// Logs a line for each change, or that there is none.
void LogChanges(const std::vector<hosting::RepositoryChange>& changes);

}  // namespace lazynet::server
