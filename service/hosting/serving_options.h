#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/shape.h"
#include "engine/nn/network.h"
#include "service/hosting/queue_options.h"
#include "service/hosting/version_policy.h"

namespace lazynet::v1 {
class ServingConfig;
}

namespace lazynet::hosting {

// When a network comes by its lazy sizes.
enum class BindingPolicy {
  kOnFirstRequest,
  kAtLoad,   // when it is loaded, from shapes that are given
  kByAdmin,  // by LazyNetworkService only; requests before are refused
};

// What one input may be beside its constraint; checked before anything is made of it.
struct InputLimits {
  struct Range {
    int64_t min = 0;
    int64_t max = kMaxDim;
  };
  std::vector<Range> dims;  // empty, or one for each axis; the rank is then that of this list
  int64_t max_elements = kMaxElements;
};

// How a network is served: serving.textproto. For one network, in the order of its inputs.
struct ServingOptions {
  BindingPolicy policy = BindingPolicy::kOnFirstRequest;
  std::vector<Shape> bind_shapes;   // for kAtLoad
  std::vector<InputLimits> limits;  // one for each input, or empty
  size_t max_parameter_bytes = SIZE_MAX;
  VersionPolicy versions;                   // of the model that the network is a version of
  bool pinned = false;                      // never evicted
  std::vector<std::vector<Shape>> warm_up;  // to have plans for before the server is ready

  QueueOptions queue;

  // INVALID_ARGUMENT names the input and dim that is out of range.
  absl::Status CheckLimits(const nn::Network& network, std::span<const Shape> shapes) const;
};

// Reads a file's text. INVALID_ARGUMENT, with line and column, for text that is no ServingConfig.
absl::StatusOr<v1::ServingConfig> ParseServingText(std::string_view text);

// `queue` is what holds for what the config does not say. INVALID_ARGUMENT for unknown inputs,
// ranges and versions that are none, AT_LOAD without shapes, and shapes that leave an input out.
absl::StatusOr<ServingOptions> ConvertServing(const v1::ServingConfig& config,
                                              const nn::Network& network,
                                              const QueueOptions& queue = {});

}  // namespace lazynet::hosting
