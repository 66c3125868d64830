#include "service/metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "service/metrics/network_probe.h"
#include "service/metrics/rpc_probe.h"
#include "service/metrics/server_probe.h"
#include "tests/service/metrics/text_format.h"

namespace lazynet::metrics {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAreArray;
using testing::HasSubstr;

// The names, types and labels are what dashboards and alerts are written against.
TEST(Registry, NamesAreThoseOfTheGoldenFile) {
  Registry registry({{"version", "0.1.0"}, {"onednn_version", "2.6.3"}});
  const NetworkProbe probe(registry, "mlp", "1");
  const RpcProbe rpcs(registry, {"p.Service/Method"});

  std::ifstream file(LAZYNET_SOURCE_DIR "/tests/service/metrics/metrics.golden");
  ASSERT_TRUE(file);
  std::vector<std::string> golden;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) golden.push_back(line);
  }
  EXPECT_THAT(FamiliesOf(registry.Text()), ElementsAreArray(golden));
}

TEST(Registry, ListsFamiliesThatHaveNoNetworkYet) {
  Registry registry;
  EXPECT_THAT(registry.Text(),
              HasSubstr("# TYPE lazynet_request_duration_seconds histogram\n# HELP"));
}

TEST(Registry, SaysWhatWasBuilt) {
  Registry registry({{"version", "0.1.0"}, {"onednn_version", "2.6.3"}});
  EXPECT_EQ(
      ValueOf(registry.Text(), R"(lazynet_build_info{version="0.1.0",onednn_version="2.6.3"})"), 1);
}

TEST(Registry, MayEndBeforeItsProbes) {
  auto registry = std::make_unique<Registry>();
  NetworkProbe network(*registry, "mlp", "1");
  ServerProbe server(*registry);
  registry.reset();
  network.RequestStarted();
  server.SetLanes(2);
}

TEST(ServerProbe, SetsTheServersGauges) {
  Registry registry;
  ServerProbe probe(registry);
  EXPECT_EQ(ValueOf(registry.Text(), "lazynet_queue_depth"), 0);
  probe.SetLanes(2);
  probe.SetQueueDepth(7);
  probe.SetQueueCapacity(256);
  probe.SetBuildQueueDepth(3);
  probe.SetWorkspaceBytes(4096);
  const std::string text = registry.Text();
  EXPECT_EQ(ValueOf(text, "lazynet_lanes"), 2);
  EXPECT_EQ(ValueOf(text, "lazynet_queue_depth"), 7);
  EXPECT_EQ(ValueOf(text, "lazynet_queue_capacity"), 256);
  EXPECT_EQ(ValueOf(text, "lazynet_build_queue_depth"), 3);
  EXPECT_EQ(ValueOf(text, "lazynet_workspace_bytes"), 4096);
  probe.SetQueueDepth(0);
  EXPECT_EQ(ValueOf(registry.Text(), "lazynet_queue_depth"), 0);
}

TEST(ServerProbe, CountsRequestsToNoNetworkWithoutTheirNames) {
  const char* series = R"(lazynet_requests_total{model="",version="",code="NOT_FOUND"})";
  const char* unread = R"(lazynet_requests_total{model="",version="",code="INVALID_ARGUMENT"})";
  Registry registry;
  ServerProbe one(registry);
  ServerProbe two(registry);
  EXPECT_EQ(ValueOf(registry.Text(), series), 0);
  EXPECT_EQ(ValueOf(registry.Text(), unread), 0);
  one.RecordUnassigned(absl::StatusCode::kNotFound);
  two.RecordUnassigned(absl::StatusCode::kNotFound);
  two.RecordUnassigned(absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ValueOf(registry.Text(), series), 2);
  EXPECT_EQ(ValueOf(registry.Text(), unread), 1);
}

TEST(Promtool, HasNoComplaint) {
  if (std::system("command -v promtool > /dev/null") != 0) {
    GTEST_SKIP() << "promtool (Debian's package prometheus) is not installed: nothing was checked";
  }
  Registry registry({{"version", "0.1.0"}, {"onednn_version", "2.6.3"}});
  const NetworkProbe empty(registry, "empty", "1");
  NetworkProbe probe(registry, "a \"quoted\"\\\n name", "1");
  probe.RecordRequest(absl::StatusCode::kOk, milliseconds(3));
  probe.RecordCompute(milliseconds(2), 8);
  probe.SetState(NetworkState::kReady);

  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) /
                                     ("lazynet_metrics_" + std::to_string(getpid()) + ".txt");
  std::ofstream(path) << registry.Text();
  FILE* pipe = popen(("promtool check metrics < '" + path.string() + "' 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string complaints;
  char buffer[256];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) complaints += buffer;
  const int status = pclose(pipe);
  std::filesystem::remove(path);
  EXPECT_EQ(complaints, "");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace lazynet::metrics
