#include "service/server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "service/handlers/health_service.h"
#include "service/handlers/infer_call.h"
#include "service/handlers/infer_stream.h"
#include "service/handlers/inference_service.h"
#include "service/handlers/lazy_network_service.h"
#include "service/hosting/shape_recorder.h"
#include "service/metrics/exposer.h"
#include "service/metrics/server_probe.h"
#include "service/scheduling/memory_limit.h"
#include "service/server/access.h"
#include "service/server/drain.h"
#include "service/server/host.h"
#include "service/server/listener.h"
#include "service/server/poller.h"
#include "service/server/reloader.h"
#include "service/server/repository_log.h"
#include "service/server/rpc_methods.h"
#include "service/server/warm_up.h"

namespace lazynet::server {
namespace {

constexpr size_t kMostToRead = 1024;  // large requests that wait to be read

grpc_compression_level CompressionLevel(const std::string& name) {
  if (name == "low") return GRPC_COMPRESS_LEVEL_LOW;
  if (name == "medium") return GRPC_COMPRESS_LEVEL_MED;
  return name == "high" ? GRPC_COMPRESS_LEVEL_HIGH : GRPC_COMPRESS_LEVEL_NONE;
}

}  // namespace

// In the order in which the parts need each other; destroyed in reverse.
struct Server::Parts {
  explicit Parts(const config::ServerConfig& settings)
      : config(settings),
        host(config),
        probe(host.registry),
        rpcs(host.registry, RpcMethods()),
        request_log(std::chrono::milliseconds(config.slow_request_ms)),
        shared_memory(config.shared_memory, static_cast<size_t>(config.max_message_bytes)),
        request_memory(ConnectionMemory(config.connections, scheduling::AvailableMemory())) {}

  void StartThreads() {
    lanes = std::make_unique<scheduling::Lanes>(
        LaneCount(config),
        scheduling::LaneObservers{
            .queue_depth = [this](size_t requests) { probe.SetQueueDepth(requests); },
            .workspace_bytes =
                [this, counted = size_t{0}](size_t bytes) mutable {
                  probe.SetWorkspaceBytes(bytes);
                  host.budget.Add(static_cast<int64_t>(bytes) - static_cast<int64_t>(counted));
                  counted = bytes;
                }});
    build_lane = std::make_unique<scheduling::BuildLane>(
        static_cast<size_t>(config.build_queue_capacity),
        [this](size_t jobs) { probe.SetBuildQueueDepth(jobs); });
    reading_lane = std::make_unique<handlers::ReadingLane>(ReadingThreads(), kMostToRead);
    probe.SetLanes(lanes->count());
    probe.SetQueueCapacity(static_cast<size_t>(config.queue_capacity));
  }

  // Half of the processors, which the lanes need too; but no more than can inflate a message each,
  // since they would refuse each other.
  size_t ReadingThreads() const {
    const size_t messages = request_memory.limit() / static_cast<size_t>(config.max_message_bytes);
    return std::clamp<size_t>((lanes->count() + 1) / 2, 1, std::max<size_t>(1, messages));
  }

  // Port 0 is another one each time.
  bool HasOneAddress() const {
    return config.admin_address == config.grpc_address && !config.admin_address.ends_with(":0");
  }

  absl::Status LoadAccess() {
    if (HasOneAddress() && !config.admin_client_ca.empty()) {
      return InvalidArgument(
          "--admin-client-ca wants an --admin-address that is not --grpc-address");
    }
    ASSIGN_OR_RETURN(access, Access::Load(config));
    return absl::OkStatus();
  }

  ListenerOptions MakeListenerOptions(bool is_admin,
                                      std::shared_ptr<grpc::ServerCredentials> credentials) const {
    return {
        .max_message_bytes = static_cast<int>(config.max_message_bytes),
        .connections = config.connections,
        .connection_memory = ConnectionMemory(config.connections, scheduling::AvailableMemory()),
        .decompress = is_admin,
        .compression = CompressionLevel(config.response_compression),
        .drain_timeout = std::chrono::seconds(config.drain_timeout_seconds),
        .credentials = std::move(credentials)};
  }

  // Two services of a kind, since one instance can be registered with one server only.
  void MakeServices() {
    const bool one_address = HasOneAddress();
    inference = MakeInference(one_address);
    lazy_networks = MakeLazyNetworks(one_address);
    health = std::make_unique<handlers::HealthService>(*host.repository, readiness);
    if (!one_address) {
      admin_inference = MakeInference(true);
      admin_lazy_networks = MakeLazyNetworks(true);
      admin_health = std::make_unique<handlers::HealthService>(*host.repository, readiness);
    }
    // Networks that come and go change what health says of them.
    host.events.SetListener([this] { Notify(); });
  }

  // From here on calls of the synchronous methods come: they use what is made before.
  absl::Status Bind() {
    ASSIGN_OR_RETURN(
        main,
        Listener::Start(config.grpc_address, MakeListenerOptions(false, access->MakeCredentials()),
                        {inference.get(), lazy_networks.get(), health.get()}, rpcs));
    if (HasOneAddress()) return absl::OkStatus();
    ASSIGN_OR_RETURN(
        admin, Listener::Start(
                   config.admin_address, MakeListenerOptions(true, access->MakeAdminCredentials()),
                   {admin_inference.get(), admin_lazy_networks.get(), admin_health.get()}, rpcs));
    return absl::OkStatus();
  }

  std::unique_ptr<handlers::InferenceService> MakeInference(bool is_admin) {
    return std::make_unique<handlers::InferenceService>(handlers::InferenceService::Parts{
        .repository = *host.repository,
        .lanes = *lanes,
        .build_lane = *build_lane,
        .reading_lane = *reading_lane,
        .request_memory = request_memory,
        .readiness = readiness,
        .probe = probe,
        .rpcs = rpcs,
        .shared_memory = shared_memory,
        .request_log = request_log,
        .admin = access->MakeAdminOnly(is_admin),
        .max_message_bytes = static_cast<size_t>(config.max_message_bytes)});
  }

  std::unique_ptr<handlers::LazyNetworkService> MakeLazyNetworks(bool is_admin) {
    return std::make_unique<handlers::LazyNetworkService>(
        *host.repository, host.events, host.state.get(), *build_lane,
        handlers::LazyNetworkService::Options{
            .admin = access->MakeAdminOnly(is_admin),
            .max_load_bytes = static_cast<size_t>(config.max_parameter_bytes),
            .plans = {.input_bytes = static_cast<size_t>(config.max_message_bytes),
                      .output_bytes = static_cast<size_t>(config.max_plan_bytes)}});
  }

  // What there is on each address; one where both are the same.
  std::vector<Listener*> Listeners() const {
    std::vector<Listener*> listeners{main.get()};
    if (admin != nullptr) listeners.push_back(admin.get());
    return listeners;
  }
  std::vector<handlers::InferenceService*> Inferences() const {
    std::vector<handlers::InferenceService*> services{inference.get()};
    if (admin_inference != nullptr) services.push_back(admin_inference.get());
    return services;
  }
  std::vector<handlers::HealthService*> Healths() const {
    std::vector<handlers::HealthService*> healths{health.get()};
    if (admin_health != nullptr) healths.push_back(admin_health.get());
    return healths;
  }

  // One call of a kind to listen for is enough: the poller asks for the next before it works on
  // one.
  static void Listen(handlers::InferenceService& inference, handlers::HealthService& health,
                     grpc::ServerCompletionQueue& queue) {
    handlers::InferCall::Listen(inference, queue);
    handlers::InferStream::Listen(inference, queue);
    health.ListenForWatch(queue);
  }

  void Serve() {
    Listen(*inference, *health, main->queue());
    if (admin != nullptr) Listen(*admin_inference, *admin_health, admin->queue());
    StartPolling();
    reloader = std::make_unique<Reloader>([this](const std::stop_token& stop) {
      access->Reload();
      LogChanges(host.repository->LoadChanges(stop));
    });
    WarmUpOrBeReady();
    if (host.state != nullptr) {
      shape_recorder = std::make_unique<hosting::ShapeRecorder>(*host.repository);
    }
  }

  void WarmUpOrBeReady() {
    std::vector<WarmUp::Step> steps;
    if (config.warm_up_timeout_seconds > 0) steps = WarmUp::StepsOf(*host.repository);
    if (steps.empty()) {
      SetReady(true);
      return;
    }
    warm_up = std::make_unique<WarmUp>(std::move(steps), *build_lane, host.budget,
                                       std::chrono::seconds(config.warm_up_timeout_seconds),
                                       [this] { SetReady(true); });
  }

  void StartPolling() {
    std::vector<grpc::ServerCompletionQueue*> queues;
    for (Listener* listener : Listeners()) queues.push_back(&listener->queue());
    poller.emplace(std::move(queues), *lanes);
  }

  void Notify() {
    for (handlers::HealthService* service : Healths()) service->Notify();
  }

  // Once it is leaving the server is never ready again, though a warm-up may end only then.
  void SetReady(bool ready) {
    {
      const std::lock_guard lock(leaving_mutex);
      leaving = leaving || !ready;
      readiness.Set(!leaving);
    }
    Notify();
  }

  void Stop(std::chrono::seconds drain_timeout) {
    if (main == nullptr) return;
    // It empties the queues, also of a server that did not come to serve.
    if (!poller) StartPolling();
    SetReady(false);
    warm_up.reset();
    shape_recorder.reset();
    for (handlers::HealthService* service : Healths()) service->EndWatches();
    for (handlers::InferenceService* service : Inferences()) service->streams().Drain();
    host.events.Close();
    drain.Run(Listeners(), Drain::Clock::now() + drain_timeout);
    reloader.reset();  // not before: a model that is being loaded must not delay the rest
    // Whoever still computes ends its call before the queues close.
    reading_lane.reset();
    build_lane.reset();
    lanes.reset();
    poller.reset();
    main.reset();
    admin.reset();
  }

  const config::ServerConfig config;
  Host host;
  metrics::ServerProbe probe;
  handlers::Rpcs rpcs;
  handlers::RequestLog request_log;
  handlers::Readiness readiness;
  handlers::SharedMemory shared_memory;
  handlers::RequestMemory request_memory;
  std::unique_ptr<scheduling::Lanes> lanes;
  std::unique_ptr<scheduling::BuildLane> build_lane;
  std::unique_ptr<handlers::ReadingLane> reading_lane;
  std::unique_ptr<WarmUp> warm_up;
  std::unique_ptr<hosting::ShapeRecorder> shape_recorder;
  std::unique_ptr<handlers::InferenceService> inference;
  std::unique_ptr<handlers::InferenceService> admin_inference;
  std::unique_ptr<handlers::LazyNetworkService> lazy_networks;
  std::unique_ptr<handlers::LazyNetworkService> admin_lazy_networks;
  std::unique_ptr<handlers::HealthService> health;
  std::unique_ptr<handlers::HealthService> admin_health;
  std::unique_ptr<Access> access;
  std::mutex leaving_mutex;
  bool leaving = false;  // guarded by it
  Drain drain{rpcs.in_flight()};
  std::unique_ptr<Listener> main;
  std::unique_ptr<Listener> admin;
  std::optional<Poller> poller;
  std::unique_ptr<metrics::Exposer> exposer;
  std::unique_ptr<Reloader> reloader;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Shutdown(std::chrono::seconds(0)); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const config::ServerConfig& config) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>(config)));
  Parts& parts = *server->parts_;
  RETURN_IF_ERROR(parts.LoadAccess());
  RETURN_IF_ERROR(parts.host.Load(config));
  ASSIGN_OR_RETURN(parts.exposer,
                   metrics::Exposer::Start(parts.host.registry, config.metrics_address));
  parts.StartThreads();
  parts.MakeServices();
  RETURN_IF_ERROR(parts.Bind());
  parts.Serve();
  return server;
}

const hosting::Repository& Server::repository() const { return *parts_->host.repository; }
size_t Server::lane_count() const { return parts_->lanes->count(); }
int Server::grpc_port() const { return parts_->main->port(); }
int Server::admin_port() const { return parts_->Listeners().back()->port(); }
int Server::metrics_port() const { return parts_->exposer->port(); }
std::string Server::MetricsText() const { return parts_->host.registry.Text(); }

void Server::RequestReload() { parts_->reloader->Request(); }
void Server::BecomeUnready() { parts_->SetReady(false); }
void Server::Shutdown(std::chrono::seconds drain_timeout) { parts_->Stop(drain_timeout); }
void Server::CancelCalls() { parts_->drain.CancelCalls(); }

}  // namespace lazynet::server
