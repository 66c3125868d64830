#pragma once

#include <cstddef>

#include "engine/backend/graph.h"

namespace lazynet::plan {

// About how many microseconds an op, with what is fused to it, takes on one thread of a server CPU:
// the longer one of computing and of reading and writing all operands. Good to a factor of two or
// so; to tell small ops from large ones, the same on all machines.
double EstimatedMicroseconds(const backend::Graph& graph, const backend::Op& op);

// Of a step that only reads and writes.
double MicrosecondsToMove(size_t bytes);

// The sum over all ops.
double EstimatedMicroseconds(const backend::Graph& graph);

// Ops below this stay on one thread: waking the others, which sleep, takes 8 to 25 us.
inline constexpr double kWideOpMicroseconds = 120;

// Plans below this do: the first waking takes 100 us.
inline constexpr double kWidePlanMicroseconds = 300;

}  // namespace lazynet::plan
