#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

namespace lazynet::cli {

// A channel to host:port, or any name that gRPC resolves: plain text, messages of any size, no
// proxy of the environment. It does not connect before the first call.
std::shared_ptr<grpc::Channel> Connect(const std::string& server);

}  // namespace lazynet::cli
