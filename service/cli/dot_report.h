#pragma once

#include <iosfwd>

#include "proto/lazynet/v1/lazynet.pb.h"

// A plan as a graph for Graphviz: steps as nodes, values as edges with datatype, sizes and layout.
namespace lazynet::cli::dot {

// `plan` has passed CheckPlan.
void Print(const v1::DescribePlanResponse& plan, std::ostream& out);

}  // namespace lazynet::cli::dot
