#include "engine/backend/onednn/pack_product.h"

#include <string>
#include <utility>
#include <vector>

namespace lazynet::backend {

absl::StatusOr<Argument> PackProduct(const OpContext& context, const own::PackedProduct& product,
                                     int weights, std::span<const int> biases,
                                     std::string_view purpose,
                                     absl::FunctionRef<bool(int, int64_t)> takes) {
  std::string key = fmt::format("{}/{} {}x{}", context.constant_key(weights), purpose,
                                product.gates, product.block_units);
  for (const int bias : biases) {
    key += '+';
    if (context.has(bias)) key += context.constant_key(bias);
  }
  const auto make = [&]() -> absl::StatusOr<Tensor> {
    ASSIGN_OR_RETURN(const Tensor matrix, context.MakeConstant(weights));
    std::vector<std::pair<int, Tensor>> parts;  // of the bias, with their inputs
    for (const int bias : biases) {
      if (!context.has(bias)) continue;
      ASSIGN_OR_RETURN(Tensor part, context.MakeConstant(bias));
      parts.emplace_back(bias, std::move(part));
    }
    ASSIGN_OR_RETURN(Tensor packed, Tensor::Allocate(DType::kFp32, Shape{product.floats}));
    const auto values = matrix.values<float>();
    product.Pack(
        [&](int64_t row, int64_t input) {
          return values[static_cast<size_t>(row * product.inputs + input)];
        },
        [&](int64_t row) {
          float sum = 0;
          for (const auto& [input, part] : parts) {
            if (takes(input, row)) sum += part.values<float>()[static_cast<size_t>(row)];
          }
          return sum;
        },
        packed.mutable_view().values<float>().data());
    return packed;
  };
  const auto desc = DenseDesc({product.floats});
  return context.PackedArgument(0, key, make, desc, desc);
}

}  // namespace lazynet::backend
