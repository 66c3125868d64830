#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "engine/core/check.h"

namespace lazynet::testing {

// Speaks HTTP/2 just enough to be taken for a client, and then answers nothing.
class SilentClient {
 public:
  explicit SilentClient(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    LAZYNET_CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    const std::string hello =
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
    LAZYNET_CHECK(send(socket_, hello.data(), hello.size(), 0) ==
                  static_cast<ssize_t>(hello.size()));
  }
  ~SilentClient() { close(socket_); }

  // What the server sends until it closes the connection.
  std::string ReadAll() {
    std::string all;
    std::array<char, 4096> part;
    ssize_t got = 0;
    while ((got = recv(socket_, part.data(), part.size(), 0)) > 0) {
      all.append(part.data(), static_cast<size_t>(got));
    }
    return all;
  }

 private:
  const int socket_;
};

}  // namespace lazynet::testing
