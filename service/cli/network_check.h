#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/dtype.h"
#include "engine/core/shape.h"
#include "engine/core/status.h"
#include "service/cli/shape_text.h"

namespace lazynet::cli {

// What a definition says without a server. Sizes that are not known are kUnknownDim.
struct CheckedNetwork {
  struct Parameter {
    // State-dict key.
    std::string name;
    DType dtype = DType::kFp32;
    Shape shape;
    bool buffer = false;
  };
  struct Layer {
    std::string name;
    // With Lazy while a size is not known.
    std::string type;
    std::vector<Parameter> parameters;
    // Empty = not known.
    std::vector<Shape> outputs;
    // Elements of parameters, without buffers; bytes of both. Nothing = not known.
    std::optional<uint64_t> parameter_count;
    std::optional<uint64_t> parameter_bytes;
    // 2 for a multiply-add; see engine/plan/flops.h. Nothing = not known.
    std::optional<double> flops;
  };
  // An input or output. No shape = not known, or any.
  struct Port {
    std::string name;
    DType dtype = DType::kFp32;
    std::optional<Shape> shape;
  };

  std::vector<Layer> layers;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

// The sums over layers of what is known.
struct CheckedTotals {
  uint64_t parameter_count = 0;
  uint64_t parameter_bytes = 0;
  // Nothing = not known of all layers.
  std::optional<double> flops;
  // Layers with a parameter of unknown size.
  int unknown_layers = 0;
};
CheckedTotals Totals(const CheckedNetwork& network);

// `text` is a definition in JSON or in protobuf's text form. Shapes are for all inputs, or for
// none. INVALID_ARGUMENT says what is wrong with the definition, or which layer cannot take the
// shapes; UNIMPLEMENTED what this engine cannot do.
absl::StatusOr<CheckedNetwork> CheckNetwork(std::string_view text, bool json,
                                            const std::vector<NamedShape>& shapes);

}  // namespace lazynet::cli
