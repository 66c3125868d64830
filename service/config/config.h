#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lazynet::config {

// What a client may do with a connection, on each address.
struct ConnectionLimits {
  int64_t max_connections = 8192;   // over TCP, >= 1; more are closed
  int64_t max_streams = 1024;       // calls at a time, >= 1; more wait at the client
  int64_t max_call_threads = 1024;  // of synchronous calls, >= 4; more calls are refused
  // Of what is read of all connections, and again of what requests hold that wait inflated or
  // parsed; 0: a share of what there is.
  int64_t memory_bytes = 0;
  int64_t keepalive_seconds = 60;  // of silence, after which a client is asked for a sign, >= 1
  int64_t keepalive_timeout_seconds = 20;  // that it then has, >= 1
  int64_t min_ping_interval_seconds = 10;  // of a client's own questions; 0: any
  int64_t max_idle_seconds = 3600;         // without a call, before it is closed; 0: never
  int64_t max_age_seconds = 0;             // before it is closed, its calls first; 0: never
};

// Everything the server can be told. Addresses are host:port (0: any free), gRPC's or unix:PATH.
struct ServerConfig {
  std::string model_repository;                    // folder; required
  std::string grpc_address = "127.0.0.1:8001";     // Open Inference Protocol, health, reflection
  std::string metrics_address = "127.0.0.1:8002";  // /metrics over HTTP
  std::string admin_address = "127.0.0.1:8003";    // LazyNetworkService for operators

  // PEM files. TLS on the gRPC and the admin address when the first two are there.
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_client_ca;    // clients want a certificate that it signed; empty: none
  std::string admin_client_ca;  // instead of that on the admin address; empty: the same there

  // Who may make the calls of the admin address; whatever is set is asked for.
  std::string admin_token_file;                 // tokens, one a line; empty: none is wanted
  std::vector<std::string> admin_client_names;  // of their certificates; empty: whoever is let in

  int64_t lanes = 0;                              // serving threads; 0: one per available processor
  int64_t queue_capacity = 1024;                  // requests of a network that wait, >= 1
  int64_t max_queue_wait_milliseconds = 10'000;   // as it is predicted, >= 1
  int64_t build_queue_capacity = 64;              // plans that wait to be built, >= 1
  int64_t plans_per_network = 32;                 // kept in memory, >= 1
  int64_t plan_cache_bytes = int64_t{256} << 20;  // of the plans of all networks, >= 1

  int64_t max_message_bytes = int64_t{64} << 20;   // of one request, >= 1
  int64_t max_parameter_bytes = int64_t{4} << 30;  // of one network, >= 1
  int64_t max_plan_bytes = int64_t{2} << 30;       // intermediate values of one plan, >= 1

  ConnectionLimits connections;

  int64_t memory_budget = 0;  // bytes of all networks; 0: four fifths of what there is
  std::string state_dir;      // folder for what survives a restart; empty: nothing does

  int64_t warm_up_timeout_seconds = 60;       // before the server is ready; 0: no warm-up
  int64_t drain_grace_seconds = 0;            // from SIGTERM to the first refusal, >= 0
  int64_t drain_timeout_seconds = 30;         // then, for requests in flight, >= 0
  bool shared_memory = false;                 // tensors in POSIX shared memory of this machine
  std::string backend = "onednn";             // onednn | reference
  std::string response_compression = "none";  // none | low | medium | high
  std::string log_level = "info";             // trace | debug | info | warning | error | off
  std::string log_format = "text";            // text | json
  int64_t slow_request_ms = 0;  // a request that takes longer is logged, >= 0; 0: none is
  bool check = false;           // load the repository, report, and exit
};

}  // namespace lazynet::config
