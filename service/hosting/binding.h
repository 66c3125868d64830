#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/shape.h"
#include "engine/nn/network.h"

namespace lazynet::hosting {

// What fixed the lazy sizes of a network.
struct Binding {
  enum class Source {
    kFirstRequest,
    kCheckpoint,  // its shapes told every size
    kDefinition,  // it left no size out
  };
  Source source = Source::kDefinition;
  std::vector<Shape> input_shapes;  // of the first request
  std::chrono::system_clock::time_point time;
};

// "first_request", "checkpoint", "definition".
std::string_view Name(Binding::Source source);

// "bound by the first request, input [10, 10], at 2026-01-31T12:00:00Z": for errors about shapes
// that do not fit.
std::string Describe(const Binding& binding, const nn::Network& network);

}  // namespace lazynet::hosting
