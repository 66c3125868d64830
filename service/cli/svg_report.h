#pragma once

#include <iosfwd>

#include "proto/lazynet/v1/lazynet.pb.h"

// A plan as a picture that needs nothing else: a row for each step in the order of execution, with
// what it reads as lines at the left, and a bar as long as its time, or, where that was not
// measured, the estimate.
namespace lazynet::cli::svg {

// `plan` has passed CheckPlan.
void Print(const v1::DescribePlanResponse& plan, std::ostream& out);

}  // namespace lazynet::cli::svg
