#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/nn/network.h"
#include "engine/nn/parameter_set.h"
#include "service/hosting/output_labels.h"
#include "service/hosting/serving_options.h"

namespace lazynet::hosting {

// A definition as it is to be hosted.
struct HostedDefinition {
  std::shared_ptr<const nn::Network> network;
  int64_t version = 1;
  std::string fingerprint;   // equal for definitions of equal parameters
  nn::StateDict checkpoint;  // the file beside it
  ServingOptions serving;
  std::vector<OutputLabels> labels;  // one for each output, or none
};

}  // namespace lazynet::hosting
