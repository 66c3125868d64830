#pragma once

#include <vector>

#include "service/hosting/hosted_network.h"

namespace lazynet::hosting {

// The shapes a network takes and gives, kUnknownDim where a dim may vary from request to request.
struct Signature {
  std::vector<Shape> inputs;  // in the network's order
  std::vector<Shape> outputs;
};

// What can be said without any side effect. An input has its constraint, or the shape that bound
// the network; a dim varies if the network would also take twice its size there. Where neither is
// known the shape is [kUnknownDim].
Signature Describe(const HostedNetwork& hosted);

}  // namespace lazynet::hosting
