#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "service/cli/state_dict.h"

namespace lazynet::cli {

// A key that is not the same on both sides.
struct Difference {
  struct Side {
    DType dtype = DType::kFp32;
    Shape shape;
    bool uninitialized = false;

    bool operator==(const Side&) const = default;
  };
  std::string key;
  // Nothing = that side does not have the key.
  std::optional<Side> a;
  std::optional<Side> b;
  // Where datatypes and shapes are equal and both have values, whose bits then are not: the largest
  // absolute difference of two elements, NaN if one of them is.
  std::optional<double> largest;
};

struct StateDictDiff {
  // In the order of the keys' bytes.
  std::vector<Difference> different;
  size_t equal = 0;
};

// Compares two state dicts of which one is held, each item until it has been compared.
class StateDictComparison {
 public:
  // All of side A first, then all of side B; a key comes once in each.
  void AddA(StateDictItem item);
  void AddB(const StateDictItem& item);

  StateDictDiff Finish() &&;

 private:
  std::map<std::string, StateDictItem> a_;
  std::map<std::string, Difference> different_;
  size_t equal_ = 0;
};

}  // namespace lazynet::cli
