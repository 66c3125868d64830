#pragma once

#include <string_view>

namespace lazynet::cli {

// A light colour, `#rrggbb`, for what an op does: products, convolutions, pools and reductions,
// normalization, recurrence, moving of elements; all others are elementwise.
std::string_view OpColor(std::string_view op);

}  // namespace lazynet::cli
