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

// Ops below this stay on one thread: the others, which wait for them awake (backend/threads.h),
// take 4 us to begin and end.
inline constexpr double kWideOpMicroseconds = 15;

// Plans below this do not gain in a server, where the others sleep before the first op: waking them
// takes 100 to 200 us.
inline constexpr double kWidePlanMicroseconds = 300;

}  // namespace lazynet::plan
