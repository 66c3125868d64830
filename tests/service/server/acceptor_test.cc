#include "service/server/acceptor.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace lazynet::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// What gRPC would have, without gRPC.
class Taken {
 public:
  // The one that an acceptor owns.
  std::unique_ptr<Acceptor::Handler> MakeHandler() { return std::make_unique<Handler>(*this); }

  // The next connection.
  net::Fd Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !taken_.empty(); });
    net::Fd first = std::move(taken_.front());
    taken_.erase(taken_.begin());
    return first;
  }

 private:
  class Handler final : public Acceptor::Handler {
   public:
    explicit Handler(Taken& taken) : taken_(taken) {}
    void HandleNewConnection(NewConnectionParameters* connection) override {
      const std::lock_guard lock(taken_.mutex_);
      taken_.taken_.emplace_back(connection->fd);
      taken_.changed_.notify_all();
    }

   private:
    Taken& taken_;
  };

  std::mutex mutex_;  // guards the next
  std::vector<net::Fd> taken_;
  std::condition_variable changed_;
};

net::Fd Connect(int port) {
  net::Fd client(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return net::Fd();
  }
  return client;
}

std::unique_ptr<Acceptor> Accept(size_t max_connections, Taken& taken) {
  auto acceptor = Acceptor::Bind("127.0.0.1:0", max_connections);
  EXPECT_TRUE(acceptor.ok());
  (*acceptor)->Start(taken.MakeHandler());
  return *std::move(acceptor);
}

TEST(Acceptor, StopsWhileClientsKeepComing) {
  Taken taken;
  const auto acceptor = Accept(1, taken);
  const int port = acceptor->port();
  const net::Fd first = Connect(port);
  const net::Fd kept = taken.Wait();
  std::atomic<bool> stop = false;
  std::atomic<int> made = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) made += Connect(port).valid() ? 1 : 0;
    });
  }
  while (made < 100) std::this_thread::yield();
  acceptor->Stop();
  stop = true;
}

TEST(Acceptor, FindsRoomAgain) {
  Taken taken;
  const auto acceptor = Accept(1, taken);
  {
    const net::Fd first = Connect(acceptor->port());
    const net::Fd kept = taken.Wait();
    const net::Fd refused = Connect(acceptor->port());
    char byte = 0;
    EXPECT_LE(recv(refused.get(), &byte, 1, 0), 0);
  }
  // After the look that found none it is not made for every client.
  std::jthread clients([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) Connect(acceptor->port());
  });
  EXPECT_TRUE(taken.Wait().valid());
}

TEST(Acceptor, TellsWhetherConnectionsAreOpenAndWhetherTheyReceive) {
  Taken taken;
  const auto acceptor = Accept(10, taken);
  const net::Fd client = Connect(acceptor->port());
  const net::Fd other = Connect(acceptor->port());
  net::Fd one = taken.Wait();
  net::Fd two = taken.Wait();
  acceptor->Stop();
  EXPECT_TRUE(acceptor->HasConnections());
  EXPECT_TRUE(acceptor->Receives(hours(1)));
  EXPECT_FALSE(acceptor->Receives(milliseconds(0)));
  two = net::Fd();
  EXPECT_TRUE(acceptor->HasConnections());
  one = net::Fd();
  EXPECT_FALSE(acceptor->HasConnections());
  EXPECT_FALSE(acceptor->Receives(hours(1)));
}

}  // namespace
}  // namespace lazynet::server
