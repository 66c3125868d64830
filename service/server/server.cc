#include "service/server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "service/handlers/health_service.h"
#include "service/handlers/infer_call.h"
#include "service/handlers/infer_stream.h"
#include "service/handlers/inference_service.h"
#include "service/handlers/lazy_network_service.h"
#include "service/metrics/exposer.h"
#include "service/metrics/registry.h"
#include "service/metrics/server_probe.h"
#include "service/scheduling/processors.h"
#include "service/server/listener.h"
#include "service/server/poller.h"
#include "service/server/rpc_methods.h"
#include "service/version.h"

namespace lazynet::server {
namespace {

size_t LaneCount(const config::ServerConfig& config) {
  return static_cast<size_t>(config.lanes > 0 ? config.lanes : scheduling::AvailableProcessors());
}

std::unique_ptr<backend::Backend> MakeBackend(const config::ServerConfig& config) {
  auto reference = backend::MakeReferenceBackend();
  if (config.backend == "reference") return reference;
  return backend::MakeOnednnBackend(std::move(reference));
}

hosting::HostingOptions MakeHostingOptions(const config::ServerConfig& config) {
  const auto threads = static_cast<int>(LaneCount(config));
  return {.materialize = {.max_parameter_bytes = static_cast<size_t>(config.max_parameter_bytes),
                          .threads = threads},
          .plan = {.max_arena_bytes = static_cast<size_t>(config.max_plan_bytes),
                   .build_threads = threads},
          .shapes_per_network = static_cast<size_t>(config.plans_per_network),
          .wide_threads = threads,
          .queue = {.capacity = config.queue_capacity,
                    .max_wait = std::chrono::milliseconds(config.max_queue_wait_milliseconds)}};
}

// What hosts networks, without any port.
struct Host {
  explicit Host(const config::ServerConfig& config)
      : backend(MakeBackend(config)),
        registry(std::vector<std::pair<std::string, std::string>>{{"version", kVersion}}),
        budget(static_cast<size_t>(config.max_total_parameter_bytes)),
        plans(static_cast<size_t>(config.plan_cache_bytes)) {}

  absl::Status Load(const config::ServerConfig& config) {
    if (!config.state_dir.empty()) {
      ASSIGN_OR_RETURN(state, hosting::StateDirectory::Open(config.state_dir));
    }
    environment.reset(new hosting::Environment{.backend = *backend,
                                               .options = MakeHostingOptions(config),
                                               .registry = registry,
                                               .budget = budget,
                                               .plans = plans,
                                               .events = events,
                                               .state = state.get()});
    ASSIGN_OR_RETURN(repository, hosting::Repository::Load(config.model_repository, *environment));
    return absl::OkStatus();
  }

  const std::unique_ptr<backend::Backend> backend;
  metrics::Registry registry;
  hosting::ParameterBudget budget;
  plan::PlanCache plans;
  hosting::NetworkEvents events;
  std::unique_ptr<hosting::StateDirectory> state;
  std::unique_ptr<const hosting::Environment> environment;
  std::unique_ptr<hosting::Repository> repository;
};

}  // namespace

// In the order in which the parts need each other; destroyed in reverse.
struct Server::Parts {
  explicit Parts(const config::ServerConfig& settings)
      : config(settings),
        host(config),
        probe(host.registry),
        rpcs(host.registry, RpcMethods()),
        request_log(std::chrono::milliseconds(config.slow_request_ms)),
        shared_memory(config.shared_memory, static_cast<size_t>(config.max_message_bytes)) {}

  void StartThreads() {
    lanes = std::make_unique<scheduling::Lanes>(
        LaneCount(config),
        scheduling::LaneObservers{
            .queue_depth = [this](size_t requests) { probe.SetQueueDepth(requests); },
            .workspace_bytes = [this](size_t bytes) { probe.SetWorkspaceBytes(bytes); }});
    build_lane = std::make_unique<scheduling::BuildLane>(
        static_cast<size_t>(config.build_queue_capacity),
        [this](size_t jobs) { probe.SetBuildQueueDepth(jobs); });
    probe.SetLanes(lanes->count());
    probe.SetQueueCapacity(static_cast<size_t>(config.queue_capacity));
  }

  // Two services of a kind, since one instance can be registered with one server only.
  void Bind() {
    hosting::Repository& repository = *host.repository;
    // Port 0 is another one each time.
    const bool one_address =
        config.admin_address == config.grpc_address && !config.admin_address.ends_with(":0");
    inference = MakeInference(one_address);
    lazy_networks = MakeLazyNetworks(one_address);
    health = std::make_unique<handlers::HealthService>(repository, readiness);
    const int limit = static_cast<int>(config.max_message_bytes);
    main = std::make_unique<Listener>(
        config.grpc_address, limit,
        std::vector<grpc::Service*>{inference.get(), lazy_networks.get(), health.get()}, rpcs);
    if (one_address) return;
    admin_inference = MakeInference(true);
    admin_lazy_networks = MakeLazyNetworks(true);
    admin_health = std::make_unique<handlers::HealthService>(repository, readiness);
    admin = std::make_unique<Listener>(
        config.admin_address, limit,
        std::vector<grpc::Service*>{admin_inference.get(), admin_lazy_networks.get(),
                                    admin_health.get()},
        rpcs);
  }

  std::unique_ptr<handlers::InferenceService> MakeInference(bool is_admin) {
    return std::make_unique<handlers::InferenceService>(
        *host.repository, *lanes, *build_lane, readiness, probe, rpcs, shared_memory, request_log,
        handlers::AdminOnly{is_admin, config.admin_address});
  }

  std::unique_ptr<handlers::LazyNetworkService> MakeLazyNetworks(bool is_admin) {
    return std::make_unique<handlers::LazyNetworkService>(
        *host.repository, host.events, host.state.get(), *build_lane,
        handlers::LazyNetworkService::Options{
            .admin = {is_admin, config.admin_address},
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
    // Networks that come and go change what health says of them.
    host.events.SetListener([this] { Notify(); });
    StartPolling();
    SetReady(true);
  }

  void StartPolling() {
    std::vector<grpc::ServerCompletionQueue*> queues;
    for (Listener* listener : Listeners()) queues.push_back(&listener->queue());
    poller.emplace(std::move(queues), *lanes);
  }

  void Notify() {
    for (handlers::HealthService* service : Healths()) service->Notify();
  }

  void SetReady(bool ready) {
    readiness.Set(ready);
    Notify();
  }

  void Stop(std::chrono::seconds drain_timeout) {
    if (main == nullptr) return;
    // It empties the queues, also of a server that did not come to serve.
    if (!poller) StartPolling();
    SetReady(false);
    for (handlers::HealthService* service : Healths()) service->EndWatches();
    for (handlers::InferenceService* service : Inferences()) service->streams().Drain();
    host.events.Close();
    const auto deadline = std::chrono::system_clock::now() + drain_timeout;
    for (Listener* listener : Listeners()) listener->Shutdown(deadline);
    // Whoever still computes ends its call before the queues close.
    build_lane.reset();
    lanes.reset();
    poller.reset();
    main.reset();
    admin.reset();
  }

  const config::ServerConfig config;
  Host host;
  metrics::ServerProbe probe;
  const metrics::RpcProbe rpcs;
  handlers::RequestLog request_log;
  handlers::Readiness readiness;
  handlers::SharedMemory shared_memory;
  std::unique_ptr<scheduling::Lanes> lanes;
  std::unique_ptr<scheduling::BuildLane> build_lane;
  std::unique_ptr<handlers::InferenceService> inference;
  std::unique_ptr<handlers::InferenceService> admin_inference;
  std::unique_ptr<handlers::LazyNetworkService> lazy_networks;
  std::unique_ptr<handlers::LazyNetworkService> admin_lazy_networks;
  std::unique_ptr<handlers::HealthService> health;
  std::unique_ptr<handlers::HealthService> admin_health;
  std::unique_ptr<Listener> main;
  std::unique_ptr<Listener> admin;
  std::optional<Poller> poller;
  std::unique_ptr<metrics::Exposer> exposer;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Shutdown(std::chrono::seconds(0)); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const config::ServerConfig& config) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>(config)));
  Parts& parts = *server->parts_;
  RETURN_IF_ERROR(parts.host.Load(config));
  ASSIGN_OR_RETURN(parts.exposer,
                   metrics::Exposer::Start(parts.host.registry, config.metrics_address));
  parts.StartThreads();
  parts.Bind();
  for (const Listener* listener : parts.Listeners()) {
    if (!listener->bound()) {
      return absl::UnavailableError(fmt::format("cannot listen on {}", listener->address()));
    }
  }
  parts.Serve();
  return server;
}

const hosting::Repository& Server::repository() const { return *parts_->host.repository; }
size_t Server::lane_count() const { return parts_->lanes->count(); }
int Server::grpc_port() const { return parts_->main->port(); }
int Server::admin_port() const { return parts_->Listeners().back()->port(); }
int Server::metrics_port() const { return parts_->exposer->port(); }
std::string Server::MetricsText() const { return parts_->host.registry.Text(); }

void Server::Shutdown(std::chrono::seconds drain_timeout) { parts_->Stop(drain_timeout); }

absl::Status CheckRepository(const config::ServerConfig& config, std::string& report) {
  // Looking must not set a state aside.
  config::ServerConfig without_state = config;
  without_state.state_dir.clear();
  Host host(without_state);
  RETURN_IF_ERROR(host.Load(without_state));
  size_t bad = 0;
  for (const auto& [name, versions] : host.repository->models()) {
    for (const auto& [version, entry] : versions) {
      const bool fine = entry.network != nullptr;
      bad += fine ? 0 : 1;
      const std::string_view state = !fine ? Message(entry.unavailable)
                                     : entry.network->bound() != nullptr ? "ready"
                                                                         : "lazy";
      report += fmt::format("{} {}: {}\n", name, version, state);
    }
  }
  if (bad == 0) return absl::OkStatus();
  return FailedPrecondition("{} of the repository's models cannot be served", bad);
}

}  // namespace lazynet::server
