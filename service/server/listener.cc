#include "service/server/listener.h"

#include <grpc/grpc.h>
#include <grpcpp/resource_quota.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/core/status.h"
#include "service/handlers/rpc_interceptor.h"
#include "service/server/go_away.h"
#include "service/server/grpc_time.h"

namespace lazynet::server {
namespace {

int Milliseconds(int64_t seconds) {
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::min(seconds, kMost / 1000) * 1000);
}

// 0 is no limit; it has no other way of saying so.
int MillisecondsOrNone(int64_t seconds) {
  return seconds == 0 ? std::numeric_limits<int>::max() : Milliseconds(seconds);
}

void LimitConnections(const ListenerOptions& options, grpc::ServerBuilder& builder) {
  const config::ConnectionLimits& limits = options.connections;
  const auto set = [&](const char* name, int value) { builder.AddChannelArgument(name, value); };
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(limits.max_streams));
  set(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(limits.keepalive_seconds));
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(limits.keepalive_timeout_seconds));
  // A client may ask, and is asked, also when it has no call.
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      Milliseconds(limits.min_ping_interval_seconds));
  set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, MillisecondsOrNone(limits.max_idle_seconds));
  set(GRPC_ARG_MAX_CONNECTION_AGE_MS, MillisecondsOrNone(limits.max_age_seconds));
  set(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, Milliseconds(options.drain_timeout.count()));
  grpc::ResourceQuota quota("lazynet");
  quota.Resize(options.connection_memory);
  quota.SetMaxThreads(static_cast<int>(limits.max_call_threads));
  builder.SetResourceQuota(quota);
}

// Leaves descriptors for the other listener, and as many for all that is no connection.
size_t MostConnections(const config::ConnectionLimits& limits) {
  rlimit files = {};
  const bool known = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY;
  const auto wanted = static_cast<size_t>(limits.max_connections);
  return known ? std::min<size_t>(wanted, files.rlim_cur / 3) : wanted;
}

}  // namespace

size_t ConnectionMemory(const config::ConnectionLimits& limits, size_t available) {
  constexpr size_t kMib = size_t{1} << 20;
  if (limits.memory_bytes > 0) return std::max(static_cast<size_t>(limits.memory_bytes), kMib);
  return std::clamp(available / 20, 64 * kMib, 4096 * kMib);
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(
    const std::string& address, const ListenerOptions& options,
    const std::vector<grpc::Service*>& services, handlers::Rpcs& rpcs) {
  std::unique_ptr<Listener> listener(new Listener(options.credentials));
  grpc::ServerBuilder builder;
  std::unique_ptr<Acceptor::Handler> handler;
  if (address.starts_with("unix:")) {
    builder.AddListeningPort(address, listener->credentials_, &listener->port_);
  } else {
    ASSIGN_OR_RETURN(listener->acceptor_,
                     Acceptor::Bind(address, MostConnections(options.connections)));
    listener->port_ = listener->acceptor_->port();
    handler = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        listener->credentials_);
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, options.decompress ? 1 : 0);
  // By what the client says that it takes.
  builder.SetDefaultCompressionLevel(options.compression);
  LimitConnections(options, builder);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<handlers::RpcInterceptorFactory>(rpcs));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  listener->queue_ = builder.AddCompletionQueue();
  listener->server_ = builder.BuildAndStart();
  if (listener->server_ == nullptr || listener->port_ == 0) {
    return absl::UnavailableError(fmt::format("cannot listen on {}", address));
  }
  if (handler != nullptr) listener->acceptor_->Start(std::move(handler));
  return listener;
}

void Listener::TellClientsToGo() {
  if (acceptor_ != nullptr) acceptor_->Stop();
  server::TellClientsToGo(*server_->c_server());
}

bool Listener::HasConnections() { return acceptor_ == nullptr || acceptor_->HasConnections(); }

bool Listener::Receives(std::chrono::milliseconds within) {
  return acceptor_ != nullptr && acceptor_->Receives(within);
}

void Listener::Shutdown(std::chrono::steady_clock::time_point deadline) {
  if (acceptor_ != nullptr) acceptor_->Stop();
  server_->Shutdown(ToGrpc(deadline));
}

void Listener::CancelCalls() { grpc_server_cancel_all_calls(server_->c_server()); }

}  // namespace lazynet::server
