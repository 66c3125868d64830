#pragma once

#include <chrono>
#include <optional>
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
    kAdmin,       // InitializeParameters
    kAtLoad,      // shapes of serving.textproto
    kCheckpoint,  // the shapes of the file beside the definition told every size
    kClient,      // those of LoadStateDict or LoadCheckpoint did
    kDefinition,  // it left no size out
    kWarmUp,      // warm_up of serving.textproto, before the first request
  };
  Source source = Source::kDefinition;
  std::vector<Shape> input_shapes;  // of the request; empty where values told the sizes
  std::chrono::system_clock::time_point time;
  bool adopted = false;  // taken over from the state directory
};

// "first_request", "admin", ...
std::string_view Name(Binding::Source source);

// The source of that exact name, or nothing.
std::optional<Binding::Source> ParseSource(std::string_view name);

// "bound by the first request, input [10, 10], at 2026-01-31T12:00:00Z": for errors about shapes
// that do not fit.
std::string Describe(const Binding& binding, const nn::Network& network);

}  // namespace lazynet::hosting
