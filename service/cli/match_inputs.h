#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/status.h"

namespace lazynet::cli {

// The words of MatchInputs' errors.
struct MatchWords {
  // What has the inputs: `model "m"`.
  std::string owner;
  // The flag and its form with a name: `--input wants NAME=SPEC`.
  std::string_view named;
  // The inputs, as users read them.
  std::string takes;
};

// What was given for each of `inputs`, in their order: by its `name`, of which the only input needs
// none. INVALID_ARGUMENT unless there is one for each.
template <typename Given>
absl::StatusOr<std::vector<const Given*>> MatchInputs(const std::vector<Given>& given,
                                                      const std::vector<std::string>& inputs,
                                                      const MatchWords& words) {
  std::vector<const Given*> matched(inputs.size(), nullptr);
  for (const Given& one : given) {
    if (one.name.empty() && inputs.size() != 1) {
      return InvalidArgument("{} has {} inputs, so that {}; it takes {}", words.owner,
                             inputs.size(), words.named, words.takes);
    }
    const std::string& name = one.name.empty() ? inputs[0] : one.name;
    const auto found = std::find(inputs.begin(), inputs.end(), name);
    if (found == inputs.end()) {
      return InvalidArgument("{} has no input \"{}\"; it takes {}", words.owner, name, words.takes);
    }
    const Given*& match = matched[static_cast<size_t>(found - inputs.begin())];
    if (match != nullptr) return InvalidArgument("input \"{}\" is given twice", name);
    match = &one;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (matched[i] == nullptr) {
      return InvalidArgument("input \"{}\" is not given; {} takes {}", inputs[i], words.owner,
                             words.takes);
    }
  }
  return matched;
}

}  // namespace lazynet::cli
