// From the signal to the end, with a real server in this process.

#include "service/server/life_cycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>

#include "service/server/grpc_time.h"
#include "service/server/reloader.h"
#include "tests/service/support/live_server.h"
#include "tests/service/support/raw_stream.h"
#include "tests/service/support/silent_client.h"

namespace lazynet::server {
namespace {

using grpc::health::v1::HealthCheckResponse;
using std::chrono::hours;
using testing::LiveServer;
using testing::SilentClient;
using testing::TemporaryRepository;

TEST(SignalsTest, AreToldOneByOneStopsFirst) {
  Signals signals;
  signals.CatchStops();
  raise(SIGHUP);
  raise(SIGINT);
  raise(SIGTERM);
  EXPECT_EQ(signals.Wait(), Signals::Event::kStop);
  EXPECT_EQ(signals.Wait(), Signals::Event::kStop);
  EXPECT_STREQ(signals.stop_name(), "SIGTERM");
  EXPECT_EQ(signals.Wait(), Signals::Event::kReload);
  signals.Wake();
  EXPECT_EQ(signals.Wait(), Signals::Event::kWoken);
  EXPECT_EQ(signals.WaitUntil(std::chrono::steady_clock::now()), std::nullopt);
}

TEST(SignalsDeathTest, AStopEndsAProcessThatIsStillStarting) {
  const auto start = [](int signal) {
    Signals signals;
    raise(SIGHUP);
    raise(signal);
  };
  EXPECT_EXIT(start(SIGTERM), ::testing::ExitedWithCode(128 + SIGTERM), "");
  EXPECT_EXIT(start(SIGINT), ::testing::ExitedWithCode(128 + SIGINT), "");
}

// gRPC's clock is the one that it is taken for.
TEST(GrpcTimeTest, IsTheSameMoment) {
  const auto before = ToGrpc(std::chrono::steady_clock::now());
  const auto between = gpr_now(GPR_CLOCK_MONOTONIC);
  const auto after = ToGrpc(std::chrono::steady_clock::now());
  EXPECT_LE(gpr_time_cmp(before, between), 0);
  EXPECT_LE(gpr_time_cmp(between, after), 0);
  const auto never = ToGrpc(std::chrono::steady_clock::time_point::max());
  EXPECT_EQ(gpr_time_cmp(never, gpr_inf_future(GPR_CLOCK_MONOTONIC)), 0);
}

TEST(ReloaderTest, RequestsThatComeMeanwhileMakeOneMoreRun) {
  std::promise<void> entered, go, twice;
  int runs = 0;
  {
    Reloader reloader([&](const std::stop_token&) {
      if (++runs == 1) {
        entered.set_value();
        go.get_future().wait();
      } else {
        twice.set_value();  // a third run would throw
      }
    });
    reloader.Request();
    entered.get_future().wait();
    reloader.Request();
    reloader.Request();
    go.set_value();
    twice.get_future().wait();
  }
  EXPECT_EQ(runs, 2);
}

TEST(ReloaderTest, TheEndIsToldToTheOneThatRuns) {
  std::promise<void> entered;
  bool told = false;
  {
    Reloader reloader([&](const std::stop_token& stop) {
      std::promise<void> stopped;
      const std::stop_callback callback(stop, [&] { stopped.set_value(); });
      entered.set_value();
      stopped.get_future().wait();
      told = stop.stop_requested();
    });
    reloader.Request();
    entered.get_future().wait();
  }
  EXPECT_TRUE(told);
}

class LifeCycle : public ::testing::Test {
 protected:
  LifeCycle() {
    signals_.CatchStops();
    repository_.Write("m/network.textproto", "layers { name: \"y\" relu {} }");
    // 64 MB of parameters: more than gRPC sends ahead of a reader.
    repository_.Write("large/network.textproto",
                      "layers { name: \"fc\" linear { in_features: 4096 out_features: 4096 } }");
    live_ = std::make_unique<LiveServer>(repository_.path());
  }

  std::future<void> Serve(const DrainOptions& drain) {
    return std::async(std::launch::async,
                      [this, drain] { ServeUntilStopped(live_->server(), signals_, drain); });
  }

  // A watch that has said SERVING.
  std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> Watch(grpc::ClientContext& context) {
    auto watch = live_->health().Watch(&context, {});
    HealthCheckResponse response;
    EXPECT_TRUE(watch->Read(&response));
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
    return watch;
  }

  bool ServerReady() {
    grpc::ClientContext context;
    inference::ServerReadyResponse response;
    EXPECT_TRUE(live_->inference().ServerReady(&context, {}, &response).ok());
    return response.ready();
  }

  Signals signals_;
  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(LifeCycle, InTheGraceHealthSaysNoAndRequestsAreTaken) {
  grpc::ClientContext context;
  const auto watch = Watch(context);
  auto served = Serve({.grace = hours(1), .timeout = hours(1)});
  raise(SIGTERM);
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(ServerReady());
  EXPECT_TRUE(live_->Infer("m", {1}, {1}).status.ok());
  // A second signal ends the wait.
  raise(SIGTERM);
  served.get();
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(live_->Infer("m", {1}, {1}).status.ok());
}

TEST_F(LifeCycle, AnIdleServerWithoutGraceEndsAtOnce) {
  auto served = Serve({.grace = std::chrono::seconds(0), .timeout = hours(1)});
  raise(SIGINT);
  served.get();
  EXPECT_FALSE(live_->Infer("m", {1}, {1}).status.ok());
}

// A stream whose client does not read on is in flight for as long as one likes.
TEST_F(LifeCycle, CallsInFlightAreWaitedForAndCancelledByASecondSignal) {
  grpc::ClientContext watch_context, context;
  const auto watch = Watch(watch_context);
  v1::GetStateDictRequest request;
  request.set_name("large");
  const auto reader = live_->lazy_networks().GetStateDict(&context, request);
  v1::StateDictPart part;
  ASSERT_TRUE(reader->Read(&part));
  auto served = Serve({.grace = std::chrono::seconds(0), .timeout = hours(1)});
  raise(SIGTERM);
  HealthCheckResponse health;
  while (watch->Read(&health)) {
  }
  raise(SIGTERM);
  served.get();
  while (reader->Read(&part)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

// Nothing is lost with these: that they are open does not keep the server.
TEST_F(LifeCycle, AnOpenStreamOfReflectionIsNotWaitedFor) {
  testing::RawStream stream(live_->channel(), testing::kReflection);
  ASSERT_TRUE(stream.Write(testing::kListServices));
  ASSERT_TRUE(stream.Read());
  auto served = Serve({.grace = std::chrono::seconds(0), .timeout = hours(1)});
  raise(SIGTERM);
  served.get();
  EXPECT_FALSE(stream.Finish().ok());
}

TEST_F(LifeCycle, AWatcherThatDoesNotReadIsNotWaitedFor) {
  // Its events are more than gRPC sends ahead of a reader.
  for (int i = 0; i < 1000; ++i) {
    repository_.Write("model-" + std::string(200, 'x') + std::to_string(i) + "/network.textproto",
                      "layers { name: \"y\" relu {} }");
  }
  live_ = nullptr;
  live_ = std::make_unique<LiveServer>(repository_.path());
  grpc::ClientContext context;
  const auto reader = live_->lazy_networks().WatchNetworks(&context, {});
  v1::NetworkEvent event;
  ASSERT_TRUE(reader->Read(&event));
  auto served = Serve({.grace = std::chrono::seconds(0), .timeout = hours(1)});
  raise(SIGTERM);
  served.get();
  while (reader->Read(&event)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

// As that of a process that was stopped: it does not even close when it is told to.
TEST_F(LifeCycle, AConnectionWithoutACallIsNotWaitedFor) {
  const SilentClient silent(live_->server().grpc_port());
  ASSERT_TRUE(live_->Infer("m", {1}, {1}).status.ok());
  auto served = Serve({.grace = std::chrono::seconds(0), .timeout = hours(1)});
  raise(SIGTERM);
  served.get();
}

TEST_F(LifeCycle, HangupReadsTheRepositoryAgain) {
  auto served = Serve({.grace = std::chrono::seconds(0), .timeout = hours(1)});
  repository_.Write("new/network.textproto", "layers { name: \"y\" relu {} }");
  raise(SIGHUP);
  while (live_->Infer("new", {1}, {1}).status.error_code() == grpc::StatusCode::NOT_FOUND) {
  }
  EXPECT_TRUE(live_->Infer("new", {1}, {1}).status.ok());
  raise(SIGTERM);
  served.get();
}

}  // namespace
}  // namespace lazynet::server
