#pragma once

#include <string>

namespace lazynet::testing {

// What a whole gzip file holds; nothing if it is none, or more follows it.
std::string Gunzip(const std::string& file);

}  // namespace lazynet::testing
