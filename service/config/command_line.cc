#include "service/config/command_line.h"

#include <CLI/CLI.hpp>

#include "service/version.h"

namespace lazynet::config {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 46;

class Flags {
 public:
  explicit Flags(ServerConfig& config) : config_(config) {
    app_.set_version_flag("--version", std::string("lazynet-server ") + kVersion);
    app_.footer(
        "Every flag has an environment variable, shown beside it; the flag wins.\n"
        "\nExample: lazynet-server --model-repository deploy/models --lanes 2");
    app_.get_formatter()->column_width(40);
    AddGeneral();
    AddAddresses();
    AddSecurity();
    AddScheduling();
    AddLimits();
    AddConnections();
  }

  CLI::App& app() { return app_; }

 private:
  static constexpr const char* kAddresses =
      "Addresses (host:port, port 0 takes any free one; those of gRPC also unix:PATH)";
  static constexpr const char* kSecurity =
      "Security (files are read again on SIGHUP; what cannot be used leaves the old in place)";
  static constexpr const char* kScheduling = "Scheduling";
  static constexpr const char* kLimits = "Limits";
  static constexpr const char* kConnections = "Connections (of each address)";

  void Text(const char* flag, const char* variable, std::string& value, const char* description,
            const char* group) {
    app_.add_option(flag, value, description)
        ->envname(variable)
        ->group(group)
        ->capture_default_str();
  }
  void Number(const char* flag, const char* variable, int64_t& value, int64_t least, int64_t most,
              const char* description, const char* group) {
    app_.add_option(flag, value, description)
        ->envname(variable)
        ->check(CLI::Range(least, most))
        ->group(group)
        ->capture_default_str();
  }

  void AddGeneral() {
    app_.add_option("--model-repository", config_.model_repository, "Folder of the models to serve")
        ->envname("LAZYNET_MODEL_REPOSITORY")
        ->required();
    app_.add_option("--state-dir", config_.state_dir,
                    "Folder for bindings and parameters that survive restarts, and for "
                    "checkpoints; may be shared by servers. None: nothing is remembered")
        ->envname("LAZYNET_STATE_DIR");
    app_.add_option("--backend", config_.backend,
                    "Kernels: onednn, or reference (slow and plain, to compare with)")
        ->envname("LAZYNET_BACKEND")
        ->check(CLI::IsMember({"onednn", "reference"}))
        ->capture_default_str();
    app_.add_option("--log-level", config_.log_level, "How much to log to stderr")
        ->envname("LAZYNET_LOG_LEVEL")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}))
        ->capture_default_str();
    app_.add_option("--log-format", config_.log_format,
                    "Form of the log: text, or json (one object a line)")
        ->envname("LAZYNET_LOG_FORMAT")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    app_.add_option("--slow-request-ms", config_.slow_request_ms,
                    "Log requests that take more milliseconds than this, with what each stage "
                    "took; at most one line a second after the first ten. 0: none")
        ->envname("LAZYNET_SLOW_REQUEST_MS")
        ->check(CLI::Range(int64_t{0}, int64_t{86'400'000}))
        ->capture_default_str();
    app_.add_flag("--check", config_.check,
                  "Load the repository, say what is wrong with it, and exit: 0 if nothing is");
  }
  void AddAddresses() {
    Text("--grpc-address", "LAZYNET_GRPC_ADDRESS", config_.grpc_address,
         "Where to serve the Open Inference Protocol, health and reflection", kAddresses);
    Text("--metrics-address", "LAZYNET_METRICS_ADDRESS", config_.metrics_address,
         "Where to serve /metrics for Prometheus", kAddresses);
    Text("--admin-address", "LAZYNET_ADMIN_ADDRESS", config_.admin_address,
         "Where to serve operators: all that --grpc-address does, and the calls that change "
         "something. May be that address, which then serves everything",
         kAddresses);
    app_.add_flag("--shared-memory", config_.shared_memory,
                  "Let clients on this machine hand over tensors in POSIX shared memory that they "
                  "register: the server opens by name whatever its user may read and write there")
        ->envname("LAZYNET_SHARED_MEMORY")
        ->group(kAddresses);
  }
  CLI::Option* File(const char* flag, const char* variable, std::string& value,
                    const char* description) {
    return app_.add_option(flag, value, description)
        ->envname(variable)
        ->option_text("FILE")
        ->group(kSecurity);
  }
  void AddSecurity() {
    CLI::Option* certificate =
        File("--tls-certificate", "LAZYNET_TLS_CERTIFICATE", config_.tls_certificate,
             "TLS on the gRPC and the admin address: the certificate and its chain, PEM");
    CLI::Option* key = File("--tls-key", "LAZYNET_TLS_KEY", config_.tls_key,
                            "The certificate's private key, PEM, without a passphrase");
    certificate->needs(key);
    key->needs(certificate);
    File("--tls-client-ca", "LAZYNET_TLS_CLIENT_CA", config_.tls_client_ca,
         "Mutual TLS: only clients with a certificate that this CA (PEM) signed are let in")
        ->needs(certificate);
    File("--admin-client-ca", "LAZYNET_ADMIN_CLIENT_CA", config_.admin_client_ca,
         "Another CA for the clients of the admin address; else --tls-client-ca is for both")
        ->needs(certificate);
    File("--admin-token-file", "LAZYNET_ADMIN_TOKEN_FILE", config_.admin_token_file,
         "Calls of the admin address want one of these bearer tokens, one a line");
    app_.add_option("--admin-client-names", config_.admin_client_names,
                    "Calls of the admin address want a client certificate with one of these names: "
                    "alternative ones, or the common name where it has none")
        ->envname("LAZYNET_ADMIN_CLIENT_NAMES")
        ->delimiter(',')
        ->option_text("NAME,...")
        ->group(kSecurity);
  }
  void AddScheduling() {
    Number("--lanes", "LAZYNET_LANES", config_.lanes, 0, 1024,
           "Serving threads; 0 takes one per processor that affinity and CPU quota leave",
           kScheduling);
    Number("--queue-capacity", "LAZYNET_QUEUE_CAPACITY", config_.queue_capacity, 1, 1 << 20,
           "Requests of a model that may wait for a lane; more are refused with RESOURCE_EXHAUSTED",
           kScheduling);
    Number("--max-queue-wait", "LAZYNET_MAX_QUEUE_WAIT", config_.max_queue_wait_milliseconds, 1,
           86'400'000,
           "Milliseconds that a request may have to wait for a lane, as it is predicted; it is "
           "refused otherwise",
           kScheduling);
    Number("--build-queue-capacity", "LAZYNET_BUILD_QUEUE_CAPACITY", config_.build_queue_capacity,
           1, 1 << 20,
           "Materializations and new input shapes of a model that may wait to be prepared",
           kScheduling);
    Number("--warm-up-timeout", "LAZYNET_WARM_UP_TIMEOUT", config_.warm_up_timeout_seconds, 0,
           86400,
           "Seconds that the server may build plans before it says that it is ready: for the "
           "warm_up shapes of the models, and those that --state-dir remembers. 0: it builds none",
           kScheduling);
    Number("--drain-grace", "LAZYNET_DRAIN_GRACE", config_.drain_grace_seconds, 0, 86400,
           "Seconds after SIGTERM in which health says no but requests are still taken, so that "
           "load balancers notice; 0 for clients that try elsewhere by themselves",
           kScheduling);
    Number("--drain-timeout", "LAZYNET_DRAIN_TIMEOUT", config_.drain_timeout_seconds, 0, 86400,
           "Seconds that requests in flight then have to end; a second SIGTERM cancels them",
           kScheduling);
  }
  void AddLimits() {
    Number("--max-message-bytes", "LAZYNET_MAX_MESSAGE_BYTES", config_.max_message_bytes, 1,
           (int64_t{1} << 31) - 1, "Largest request, in bytes", kLimits);
    app_.add_option("--response-compression", config_.response_compression,
                    "How much to compress answers, for clients that take gzip or deflate")
        ->envname("LAZYNET_RESPONSE_COMPRESSION")
        ->check(CLI::IsMember({"none", "low", "medium", "high"}))
        ->capture_default_str()
        ->group(kLimits);
    Number("--max-parameter-bytes", "LAZYNET_MAX_PARAMETER_BYTES", config_.max_parameter_bytes, 1,
           kMostBytes, "Most bytes of parameters that one network may have", kLimits);
    Number("--memory-budget,--max-total-parameter-bytes", "LAZYNET_MEMORY_BUDGET",
           config_.memory_budget, 0, kMostBytes,
           "Bytes that parameters, packed weights and plans of all networks, and the lanes' "
           "workspaces, may take; idle networks make room for others. 0 takes four fifths of the "
           "container's limit or the machine's memory",
           kLimits);
    Number("--max-plan-bytes", "LAZYNET_MAX_PLAN_BYTES", config_.max_plan_bytes, 1, kMostBytes,
           "Most bytes of intermediate values that one request may need", kLimits);
    Number("--plans-per-network", "LAZYNET_PLANS_PER_NETWORK", config_.plans_per_network, 1,
           1 << 20, "Input shapes kept ready per network; the least recently used goes first",
           kLimits);
    Number("--plan-cache-bytes", "LAZYNET_PLAN_CACHE_BYTES", config_.plan_cache_bytes, 1,
           kMostBytes, "Bytes of what is kept ready for all networks, without weights", kLimits);
  }

  void AddConnections() {
    constexpr int64_t kMostSeconds = 86400 * 365;
    ConnectionLimits& limits = config_.connections;
    Number("--max-connections", "LAZYNET_MAX_CONNECTIONS", limits.max_connections, 1, 1 << 20,
           "TCP connections; more are closed at once. At most a third of the process's file "
           "descriptors",
           kConnections);
    Number("--max-streams-per-connection", "LAZYNET_MAX_STREAMS_PER_CONNECTION", limits.max_streams,
           1, (int64_t{1} << 31) - 1, "Calls at a time on a connection; more wait at the client",
           kConnections);
    Number(
        "--max-call-threads", "LAZYNET_MAX_CALL_THREADS", limits.max_call_threads, 4, 1 << 20,
        "Threads for all calls but ModelInfer, ModelStreamInfer and health watches; each has one "
        "until it ends. More calls are refused with RESOURCE_EXHAUSTED",
        kConnections);
    Number(
        "--connection-memory-bytes", "LAZYNET_CONNECTION_MEMORY_BYTES", limits.memory_bytes, 0,
        kMostBytes,
        "Bytes for what is read of all connections of an address, at least a MiB; beyond them "
        "none is taken and those that hold most are broken. As many for what requests that "
        "wait hold inflated or parsed; beyond them those are refused. 0 takes a twentieth of the "
        "container's limit or the machine's memory, from 64 MiB to 4 GiB",
        kConnections);
    Number("--keepalive-time", "LAZYNET_KEEPALIVE_TIME", limits.keepalive_seconds, 1, kMostSeconds,
           "Seconds of silence after which a client is asked for a sign of life", kConnections);
    Number("--keepalive-timeout", "LAZYNET_KEEPALIVE_TIMEOUT", limits.keepalive_timeout_seconds, 1,
           kMostSeconds, "Seconds for that sign; one that does not read does not give it",
           kConnections);
    Number("--min-ping-interval", "LAZYNET_MIN_PING_INTERVAL", limits.min_ping_interval_seconds, 0,
           kMostSeconds, "Seconds between a client's own pings; one that sends more is sent away",
           kConnections);
    Number("--max-connection-idle", "LAZYNET_MAX_CONNECTION_IDLE", limits.max_idle_seconds, 0,
           kMostSeconds, "Seconds without a call after which a connection is closed; 0: never",
           kConnections);
    Number("--max-connection-age", "LAZYNET_MAX_CONNECTION_AGE", limits.max_age_seconds, 0,
           kMostSeconds,
           "Seconds after which a connection is closed, its calls having --drain-timeout to end, "
           "so that clients spread anew; 0: never",
           kConnections);
  }

  ServerConfig& config_;
  CLI::App app_{"Serves lazy networks over gRPC (Open Inference Protocol) with oneDNN on CPUs.",
                "lazynet-server"};
};

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  ServerConfig config;
  Flags flags(config);
  try {
    flags.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = flags.app().exit(error);
    return {.exit_code = code == 0 ? 0 : 2};
  }
  return {.config = config};
}

}  // namespace lazynet::config
