#pragma once

#include <string>

#include "proto/lazynet/v1/lazynet.pb.h"

// Values of the protocol's enums as users read them: `lazy`, `uninitialized`, `checkpoint`. A value
// of a newer server that has no name here is its number.
namespace lazynet::cli {

std::string EnumText(v1::NetworkState state);
std::string EnumText(v1::BindingPolicy policy);
std::string EnumText(v1::ParameterState state);
std::string EnumText(v1::ParameterOrigin origin);

}  // namespace lazynet::cli
