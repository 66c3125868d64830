#include "service/cli/channel.h"

#include <grpcpp/grpcpp.h>

#include <limits>

namespace lazynet::cli {

namespace {

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsOf(const Credentials& credentials) {
  if (!credentials.tls) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({.pem_root_certs = credentials.ca,
                               .pem_private_key = credentials.key,
                               .pem_cert_chain = credentials.certificate});
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const std::string& server, const Credentials& credentials) {
  grpc::ChannelArguments arguments;
  if (!credentials.server_name.empty()) {
    arguments.SetSslTargetNameOverride(credentials.server_name);
  }
  arguments.SetMaxReceiveMessageSize(std::numeric_limits<int>::max());
  arguments.SetMaxSendMessageSize(std::numeric_limits<int>::max());
  // A proxy that the environment names for the web would get what is meant for localhost, too.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // So that `wait` sees a server soon after it starts.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(server, ChannelCredentialsOf(credentials), arguments);
}

}  // namespace lazynet::cli
