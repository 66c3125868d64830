#include <ostream>

#include "service/cli/json_format.h"
#include "service/cli/json_report.h"

namespace lazynet::cli::json {
namespace {

Json Side(const std::optional<Difference::Side>& side) {
  if (!side) return nullptr;
  return {{"datatype", std::string(Name(side->dtype))},
          {"shape", Array(side->shape.dims())},
          {"uninitialized", side->uninitialized}};
}

}  // namespace

void Print(const SavedStateDict& saved, std::ostream& out) {
  Write({{"file", saved.file},
         {"file_bytes", saved.file_bytes},
         {"keys", Array(saved.keys)},
         {"uninitialized_keys", Array(saved.uninitialized_keys)}},
        out);
}

void Print(const StateDictDiff& diff, std::ostream& out) {
  Json different = Json::array();
  for (const Difference& difference : diff.different) {
    different.push_back({{"key", difference.key},
                         {"a", Side(difference.a)},
                         {"b", Side(difference.b)},
                         {"largest_difference",
                          difference.largest ? Number(Element(*difference.largest)) : Json()}});
  }
  Write({{"different", std::move(different)}, {"equal_keys", diff.equal}}, out);
}

}  // namespace lazynet::cli::json
