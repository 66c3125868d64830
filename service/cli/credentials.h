#pragma once

#include <string>

namespace lazynet::cli {

// How to come in at a server: what was read from the files that the flags name.
struct Credentials {
  // TLS; else plain text.
  bool tls = false;
  // PEM: who signs servers' certificates; empty = the system's authorities.
  std::string ca;
  // PEM: for servers that want to know the client; empty = none.
  std::string certificate;
  std::string key;
  // That the server's certificate must have; empty = the host of its address.
  std::string server_name;
  // Sent as a bearer token; empty = none.
  std::string token;
};

}  // namespace lazynet::cli
