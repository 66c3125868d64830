#pragma once

#include <string>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/hosting/hosted_network.h"

// Messages of LazyNetworkService made from what is hosted.
namespace lazynet::handlers {

v1::NetworkState Convert(hosting::NetworkState state);

// Parameter `index` of a node, as far as `sizes` tell its shape.
void DescribeParameter(const nn::Network& network, const nn::ParameterSet& set,
                       const nn::Sizes& sizes, int node, int index,
                       v1::ParameterDescription& described);

void DescribePort(const std::string& name, DType dtype, const Shape& shape, v1::BoundInput& port);

// A cached plan, without its steps.
void DescribePlan(const nn::Network& network, const plan::Plan& plan, v1::Plan& described);

void DescribeBinding(const nn::Network& network, const hosting::Binding& binding,
                     v1::Binding& described);

// State-dict keys of what has no size yet.
std::vector<std::string> UnknownParameters(const nn::Network& network, const nn::ParameterSet& set);

// Everything about one network, of one moment. It stays as it is, but for parameters that were
// evicted before anybody asked for their hash: they are made again for that, where there is memory.
void DescribeHosted(hosting::HostedNetwork& hosted, v1::DescribeNetworkResponse& response);

}  // namespace lazynet::handlers
