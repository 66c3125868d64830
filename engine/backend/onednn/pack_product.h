#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "engine/backend/onednn/own/packed_product.h"
#include "engine/backend/onednn/prepare.h"

namespace lazynet::backend {

// The op's constant `weights` [gates * units, inputs] as a PackedProduct. The bias of a row is the
// sum of those of the inputs `biases`, each [gates * units] or absent, that `takes(input, row)`
// names; `purpose` is the packing's name among those of these weights that take others.
absl::StatusOr<Argument> PackProduct(const OpContext& context, const own::PackedProduct& product,
                                     int weights, std::span<const int> biases,
                                     std::string_view purpose,
                                     absl::FunctionRef<bool(int input, int64_t row)> takes);

}  // namespace lazynet::backend
