#pragma once

#include <string>
#include <vector>

namespace lazynet::server {

// Every method that the server has, as package.Service/Method.
std::vector<std::string> RpcMethods();

}  // namespace lazynet::server
