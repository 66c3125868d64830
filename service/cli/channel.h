#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "service/cli/credentials.h"

namespace lazynet::cli {

// A channel to host:port, or any name that gRPC resolves: messages of any size, no proxy of the
// environment. It does not connect before the first call. The token is up to the calls.
std::shared_ptr<grpc::Channel> Connect(const std::string& server, const Credentials& credentials);

}  // namespace lazynet::cli
