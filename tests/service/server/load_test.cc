// More than a server can do, and clients that come and go: it must come to rest, with no request
// lost, none counted twice, what clients saw in its metrics, and no descriptor, thread or memory
// kept. LAZYNET_LOAD_TEST_SCALE=N does N times as much.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/service/support/live_server.h"
#include "tests/service/support/process_resources.h"

namespace lazynet {
namespace {

using grpc::StatusCode;
using testing::LiveServer;
using testing::OpenDescriptors;
using testing::RequestOf;
using testing::ResidentBytes;
using testing::TemporaryRepository;

constexpr const char* kMlp = R"(
    layers { name: "fc1" linear { out_features: 64 } } layers { name: "act" relu {} }
    layers { name: "fc2" linear { out_features: 3 } } )";

// What one client, or all, were answered.
using Counts = std::map<StatusCode, int>;

Counts operator+(Counts sum, const Counts& more) {
  for (const auto& [code, count] : more) sum[code] += count;
  return sum;
}

int Scale() {
  const char* scale = std::getenv("LAZYNET_LOAD_TEST_SCALE");
  return scale == nullptr ? 1 : std::max(1, std::atoi(scale));
}

// More than malloc keeps of what was used, on any thread.
constexpr int64_t kKept = testing::kKeepsFreedMemory ? int64_t{4} << 30 : int64_t{96} << 20;

class Load : public ::testing::Test {
 protected:
  Load() {
    for (const char* model : {"a", "b", "c"}) {
      repository_.Write(std::string(model) + "/network.textproto", kMlp);
    }
  }

  // Runs clients at once; each gets its number, and gives its counts.
  template <typename Client>
  static Counts RunClients(int clients, const Client& client) {
    std::vector<Counts> counts(static_cast<size_t>(clients));
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i) {
      threads.emplace_back([&, i] { counts[static_cast<size_t>(i)] = client(i); });
    }
    for (std::thread& thread : threads) thread.join();
    Counts sum;
    for (const Counts& of_client : counts) sum = sum + of_client;
    return sum;
  }

  static std::string SeriesOf(const char* family, const std::string& model) {
    return std::string("lazynet_") + family + "{model=\"" + model + "\",version=\"1\"}";
  }
  static double Answered(LiveServer& live, const std::string& model, const char* code) {
    return live.Metric("lazynet_requests_total{model=\"" + model + "\",version=\"1\",code=\"" +
                       code + "\"}");
  }

  // Until nothing is under way any more; a request that is lost keeps it waiting for ever.
  static void WaitForRest(LiveServer& live) {
    for (const char* model : {"a", "b", "c"}) {
      while (live.Metric(SeriesOf("requests_in_flight", model)) > 0) std::this_thread::yield();
    }
    EXPECT_EQ(live.Metric("lazynet_queue_depth"), 0);
    EXPECT_EQ(live.Metric("lazynet_build_queue_depth"), 0);
  }

  TemporaryRepository repository_;
};

TEST_F(Load, EveryRequestOfManyClientsIsAnsweredAndCountedOnce) {
  LiveServer live(repository_.path(), {.lanes = 2});
  const Counts counts = RunClients(8, [&](int client) {
    Counts own;
    const std::string model(1, static_cast<char>('a' + client % 3));
    for (int i = 0; i < 100 * Scale(); ++i) {
      // Rows of their own, so that an answer for somebody else would show.
      const auto value = static_cast<float>(client * 100 + i % 100);
      const auto answer = live.Infer(model, {1, 1}, {value});
      ++own[answer.status.error_code()];
      if (!answer.status.ok()) continue;
      const auto again = live.Infer(model, {2, 1}, {value, -value});
      ++own[again.status.error_code()];
      EXPECT_NEAR(again.floats()[1], answer.floats()[1], 1e-5f * (1 + std::abs(value)));
    }
    return own;
  });
  EXPECT_EQ(counts, (Counts{{StatusCode::OK, 1600 * Scale()}}));
  WaitForRest(live);
  double ok = 0;
  for (const char* model : {"a", "b", "c"}) ok += Answered(live, model, "OK");
  EXPECT_EQ(ok, 1600 * Scale());
}

TEST_F(Load, AStormOfDeadlinesAndCancelsLeavesNothingBehind) {
  LiveServer live(repository_.path(), {.lanes = 1, .queue_capacity = 4});
  const Counts counts = RunClients(8, [&](int client) {
    Counts own;
    std::mt19937 random(static_cast<uint32_t>(client));
    for (int i = 0; i < 150 * Scale(); ++i) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() +
                           std::chrono::microseconds(random() % 4000));
      const auto rows = static_cast<int64_t>(1 + random() % 3);
      const auto request = RequestOf(std::string(1, static_cast<char>('a' + random() % 3)),
                                     {rows, 4}, std::vector<float>(static_cast<size_t>(4 * rows)));
      inference::ModelInferResponse response;
      std::thread canceller;
      if (random() % 4 == 0) canceller = std::thread([&] { context.TryCancel(); });
      ++own[live.inference().ModelInfer(&context, request, &response).error_code()];
      if (canceller.joinable()) canceller.join();
    }
    return own;
  });
  for (const auto& [code, count] : counts) {
    EXPECT_TRUE(code == StatusCode::OK || code == StatusCode::DEADLINE_EXCEEDED ||
                code == StatusCode::CANCELLED || code == StatusCode::RESOURCE_EXHAUSTED)
        << code << ": " << count;
  }
  WaitForRest(live);
  double ok = 0;
  double all = 0;
  for (const char* model : {"a", "b", "c"}) {
    ok += Answered(live, model, "OK");
    for (const char* code :
         {"OK", "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAVAILABLE"}) {
      all += Answered(live, model, code);
    }
  }
  // A client may be gone before its answer, or before its request, reaches the other side.
  EXPECT_GE(ok, counts.contains(StatusCode::OK) ? counts.at(StatusCode::OK) : 0);
  EXPECT_LE(all, 8 * 150 * Scale());
  // All slots are free again.
  for (const char* model : {"a", "b", "c"}) {
    EXPECT_TRUE(live.Infer(model, {1, 4}, std::vector<float>(4)).status.ok());
  }
}

TEST_F(Load, ConnectionsThatComeAndGoLeaveNothingBehind) {
  LiveServer live(repository_.path(), {.lanes = 2});
  ASSERT_TRUE(live.Infer("a", {1, 4}, std::vector<float>(4)).status.ok());
  const std::string address = "127.0.0.1:" + std::to_string(live.server().grpc_port());
  const size_t descriptors = OpenDescriptors();
  const Counts counts = RunClients(4, [&](int client) {
    Counts own;
    for (int i = 0; i < 25 * Scale(); ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetInt("lazynet.test.connection", client * 1000000 + i);  // one of its own
      const auto stub = inference::GRPCInferenceService::NewStub(
          grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
      grpc::ClientContext context;
      inference::ModelInferResponse response;
      const auto request = RequestOf("a", {1, 4}, std::vector<float>(4));
      ++own[stub->ModelInfer(&context, request, &response).error_code()];
      // One more is under way when the connection goes.
      grpc::ClientContext dropped;
      grpc::CompletionQueue queue;
      grpc::Status status;
      const auto call = stub->AsyncModelInfer(&dropped, request, &queue);
      call->Finish(&response, &status, nullptr);
      dropped.TryCancel();
      void* tag = nullptr;
      bool ok = false;
      queue.Next(&tag, &ok);
    }
    return own;
  });
  EXPECT_EQ(counts, (Counts{{StatusCode::OK, 100 * Scale()}}));
  WaitForRest(live);
  // gRPC closes the last ones on threads of its own.
  while (OpenDescriptors() > descriptors) std::this_thread::yield();
}

// The shapes [a, b, c, d, e, 2] with a to e from 1 to 10, in an order without a pattern.
std::vector<int64_t> ShapeOf(int number) {
  std::vector<int64_t> shape;
  int64_t digits = static_cast<int64_t>(number) * 39'119 % 100'000;  // prime
  for (int axis = 0; axis < 5; ++axis, digits /= 10) shape.push_back(digits % 10 + 1);
  shape.push_back(2);
  return shape;
}

TEST_F(Load, RandomShapesKeepThePlanCacheBounded) {
  LiveServer live(repository_.path(), {.lanes = 1, .plans_per_network = 8});
  std::atomic<int> next = 0;
  const auto send = [&](int until) {
    return RunClients(2, [&](int) {
      Counts own;
      for (int i = next++; i < until; i = next++) {
        const std::vector<int64_t> shape = ShapeOf(i);
        size_t elements = 1;
        for (const int64_t dim : shape) elements *= static_cast<size_t>(dim);
        ++own[live.Infer("a", shape, std::vector<float>(elements)).status.error_code()];
      }
      return own;
    });
  };
  const int all = 400 * Scale();
  Counts counts = send(all / 4);
  next = all / 4;
  const int64_t before = ResidentBytes();
  counts = counts + send(all);
  EXPECT_EQ(counts, (Counts{{StatusCode::OK, all}}));
  WaitForRest(live);
  EXPECT_LE(live.Metric(SeriesOf("plan_cache_entries", "a")), 8);
  EXPECT_LT(ResidentBytes() - before, kKept);
}

TEST_F(Load, AModelThatIsLoadedAndUnloadedAnswersOrSaysThatItIsGone) {
  LiveServer live(repository_.path(), {.lanes = 2});
  const auto admin = inference::GRPCInferenceService::NewStub(live.AdminChannel());
  std::atomic<bool> ends = false;
  std::atomic<int64_t> before = 0;
  std::thread operator_thread([&] {
    const int all = 100 * Scale();
    for (int i = 0; i < all; ++i) {
      if (i == all / 4) before = ResidentBytes();
      grpc::ClientContext unload_context;
      inference::RepositoryModelUnloadRequest unload;
      unload.set_model_name("b");
      inference::RepositoryModelUnloadResponse unloaded;
      EXPECT_TRUE(admin->RepositoryModelUnload(&unload_context, unload, &unloaded).ok());
      grpc::ClientContext load_context;
      inference::RepositoryModelLoadRequest load;
      load.set_model_name("b");
      inference::RepositoryModelLoadResponse loaded;
      EXPECT_TRUE(admin->RepositoryModelLoad(&load_context, load, &loaded).ok());
    }
    ends = true;
  });
  const Counts counts = RunClients(3, [&](int) {
    Counts own;
    while (!ends) ++own[live.Infer("b", {1, 4}, std::vector<float>(4)).status.error_code()];
    return own;
  });
  operator_thread.join();
  for (const auto& [code, count] : counts) {
    EXPECT_TRUE(code == StatusCode::OK || code == StatusCode::NOT_FOUND) << code << ": " << count;
  }
  WaitForRest(live);
  EXPECT_LT(ResidentBytes() - before, kKept);
  EXPECT_TRUE(live.Infer("b", {1, 4}, std::vector<float>(4)).status.ok());
}

}  // namespace
}  // namespace lazynet
