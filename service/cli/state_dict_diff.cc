#include "service/cli/state_dict_diff.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <variant>

#include "service/cli/answer.h"

namespace lazynet::cli {
namespace {

Difference::Side Describe(const StateDictItem& item) {
  return {item.dtype, item.shape, !item.values.has_value()};
}

bool SameBits(const Tensor& a, const Tensor& b) {
  return a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

// Wide enough for every integer that an element can be.
long double Wide(const Element& element) {
  return std::visit([](auto value) { return static_cast<long double>(value); }, element);
}

// Of two tensors of one datatype and shape.
double LargestDifference(const Tensor& a, const Tensor& b) {
  const size_t size = SizeOf(a.dtype());
  long double largest = 0;
  for (int64_t i = 0; i < a.shape().num_elements(); ++i) {
    const size_t at = static_cast<size_t>(i) * size;
    // Infinities and NaN have no difference to themselves.
    if (std::memcmp(a.data() + at, b.data() + at, size) == 0) continue;
    const long double difference = std::fabs(Wide(ElementAt(a, i)) - Wide(ElementAt(b, i)));
    if (std::isnan(difference)) return std::numeric_limits<double>::quiet_NaN();
    largest = std::max(largest, difference);
  }
  return static_cast<double>(largest);
}

}  // namespace

void StateDictComparison::AddA(StateDictItem item) {
  std::string key = item.key;
  a_.emplace(std::move(key), std::move(item));
}

void StateDictComparison::AddB(const StateDictItem& item) {
  Difference difference{item.key, std::nullopt, Describe(item), std::nullopt};
  if (const auto node = a_.extract(item.key)) {
    const StateDictItem& other = node.mapped();
    difference.a = Describe(other);
    if (difference.a == difference.b) {
      if (!item.values || SameBits(*other.values, *item.values)) {
        ++equal_;
        return;
      }
      difference.largest = LargestDifference(*other.values, *item.values);
    }
  }
  different_.emplace(item.key, std::move(difference));
}

StateDictDiff StateDictComparison::Finish() && {
  for (const auto& [key, item] : a_) {
    different_.emplace(key, Difference{key, Describe(item), std::nullopt, std::nullopt});
  }
  StateDictDiff diff{.equal = equal_};
  for (auto& [key, difference] : different_) diff.different.push_back(std::move(difference));
  return diff;
}

}  // namespace lazynet::cli
