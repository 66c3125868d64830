#pragma once

#include <span>

#include "engine/backend/graph.h"
#include "engine/nn/parameter_set.h"

namespace lazynet::plan {

// The op graph of a network for concrete shapes. `parameters` is complete, and `inference` comes
// from its sizes. Constants are keyed by parameter name.
backend::Graph Lower(const nn::Network& network, const nn::ParameterSet& parameters,
                     const nn::Inference& inference);

// The same graph before there are parameters, to look at: no constant has values. Every size of
// `inference` is known.
backend::Graph LowerShapes(const nn::Network& network, const nn::Inference& inference);

}  // namespace lazynet::plan
