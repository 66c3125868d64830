#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/status.h"
#include "service/cli/input_spec.h"

namespace lazynet::cli {

// A kind of request, and how often it comes among the others of a load.
struct RequestKind {
  double weight = 1;
  std::string model;
  std::string version;  // empty = the server chooses
  std::vector<InputSpec> inputs;
  std::string text;  // as it was given, without the weight
};

// Reads a file of kinds, one a line, # begins a comment:
//   WEIGHT MODEL[/VERSION] [NAME=]SPEC...
// INVALID_ARGUMENT, with the line's number, for anything else, and for none or more than 100.
absl::StatusOr<std::vector<RequestKind>> ParseMix(std::string_view text);

}  // namespace lazynet::cli
