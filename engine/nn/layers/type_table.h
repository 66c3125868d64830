#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/core/status.h"

namespace lazynet::nn {

// For files of many layer types: a table whose entries have a `type`.

// The types of a table, in its order.
template <typename Table>
std::vector<std::string_view> TypesOf(const Table& table) {
  std::vector<std::string_view> types;
  for (const auto& entry : table) types.push_back(entry.type);
  return types;
}

// The entry of a type that is there.
template <typename Table>
const auto& EntryOf(const Table& table, std::string_view type) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [type](const auto& entry) { return entry.type == type; });
  LAZYNET_CHECK(found != table.end());
  return *found;
}

}  // namespace lazynet::nn
