#include "service/config/command_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace lazynet::config {
namespace {

CommandLine Parse(std::vector<const char*> flags) {
  flags.insert(flags.begin(), "lazynet-server");
  return ParseCommandLine(static_cast<int>(flags.size()), flags.data());
}

TEST(CommandLine, DefaultsAreThoseOfTheConfiguration) {
  const CommandLine parsed = Parse({"--model-repository", "/models"});
  ASSERT_TRUE(parsed.config.has_value());
  EXPECT_EQ(parsed.config->model_repository, "/models");
  EXPECT_EQ(parsed.config->grpc_address, "127.0.0.1:8001");
  EXPECT_EQ(parsed.config->admin_address, "127.0.0.1:8003");
  EXPECT_EQ(parsed.config->lanes, 0);
  EXPECT_FALSE(parsed.config->shared_memory);
}

TEST(CommandLine, TheMemoryBudgetHasTwoNames) {
  EXPECT_EQ(Parse({"--model-repository=/m"}).config->memory_budget, 0);
  for (const char* flag : {"--memory-budget=1000", "--max-total-parameter-bytes=1000"}) {
    EXPECT_EQ(Parse({"--model-repository=/m", flag}).config->memory_budget, 1000) << flag;
  }
}

TEST(CommandLine, FlagsWinOverTheEnvironment) {
  setenv("LAZYNET_LANES", "3", 1);
  setenv("LAZYNET_MODEL_REPOSITORY", "/from/environment", 1);
  EXPECT_EQ(Parse({}).config->lanes, 3);
  EXPECT_EQ(Parse({}).config->model_repository, "/from/environment");
  EXPECT_EQ(Parse({"--lanes=5"}).config->lanes, 5);
  unsetenv("LAZYNET_LANES");
  EXPECT_TRUE(Parse({"--shared-memory"}).config->shared_memory);
  setenv("LAZYNET_SHARED_MEMORY", "true", 1);
  EXPECT_TRUE(Parse({}).config->shared_memory);
  unsetenv("LAZYNET_SHARED_MEMORY");
  unsetenv("LAZYNET_MODEL_REPOSITORY");
}

TEST(CommandLine, FilesOfTlsMayComeFromTheEnvironment) {
  setenv("LAZYNET_TLS_KEY", "k.pem", 1);
  setenv("LAZYNET_ADMIN_CLIENT_NAMES", "a,b", 1);
  const CommandLine parsed = Parse({"--model-repository", "/m", "--tls-certificate", "c.pem"});
  unsetenv("LAZYNET_TLS_KEY");
  unsetenv("LAZYNET_ADMIN_CLIENT_NAMES");
  ASSERT_TRUE(parsed.config.has_value());
  EXPECT_EQ(parsed.config->tls_certificate, "c.pem");
  EXPECT_EQ(parsed.config->tls_key, "k.pem");
  EXPECT_EQ(parsed.config->admin_client_names, (std::vector<std::string>{"a", "b"}));
}

TEST(CommandLine, WrongUseExitsWith2) {
  for (const std::vector<const char*>& flags :
       {std::vector<const char*>{},
        {"--model-repository", "/m", "--lanes", "-1"},
        {"--model-repository", "/m", "--lanes", "many"},
        {"--model-repository", "/m", "--nope"},
        {"--model-repository", "/m", "--backend", "cuda"},
        {"--model-repository", "/m", "--log-format", "xml"},
        {"--model-repository", "/m", "--response-compression", "gzip"},
        {"--model-repository", "/m", "--slow-request-ms", "-1"},
        {"--model-repository", "/m", "--max-message-bytes", "0"},
        {"--model-repository", "/m", "--keepalive-time", "0"},
        {"--model-repository", "/m", "--tls-certificate", "c.pem"},
        {"--model-repository", "/m", "--tls-key", "k.pem"},
        {"--model-repository", "/m", "--tls-client-ca", "ca.pem"},
        {"--model-repository", "/m", "--admin-client-ca", "ca.pem"}}) {
    const CommandLine parsed = Parse(flags);
    EXPECT_FALSE(parsed.config.has_value());
    EXPECT_EQ(parsed.exit_code, 2);
  }
}

TEST(CommandLine, HelpNamesEveryFlagWithItsVariable) {
  ::testing::internal::CaptureStdout();
  const CommandLine parsed = Parse({"--help"});
  const std::string help = ::testing::internal::GetCapturedStdout();
  EXPECT_FALSE(parsed.config.has_value());
  EXPECT_EQ(parsed.exit_code, 0);
  for (const char* text : {"--model-repository",
                           "LAZYNET_MODEL_REPOSITORY",
                           "--grpc-address",
                           "--metrics-address",
                           "--admin-address",
                           "--shared-memory",
                           "LAZYNET_SHARED_MEMORY",
                           "--lanes",
                           "--queue-capacity",
                           "--max-queue-wait",
                           "--build-queue-capacity",
                           "--drain-grace",
                           "--drain-timeout",
                           "--tls-certificate",
                           "--tls-key",
                           "--tls-client-ca",
                           "--admin-client-ca",
                           "--admin-token-file",
                           "--admin-client-names",
                           "--max-streams-per-connection",
                           "--connection-memory-bytes",
                           "--keepalive-time",
                           "--keepalive-timeout",
                           "--min-ping-interval",
                           "--max-connection-idle",
                           "--max-connection-age",
                           "--max-message-bytes",
                           "--max-parameter-bytes",
                           "--max-plan-bytes",
                           "--plans-per-network",
                           "--plan-cache-bytes",
                           "--backend",
                           "--log-level",
                           "--check",
                           "LAZYNET_LOG_LEVEL",
                           "--response-compression",
                           "--log-format",
                           "LAZYNET_LOG_FORMAT",
                           "--slow-request-ms",
                           "LAZYNET_SLOW_REQUEST_MS",
                           "--memory-budget",
                           "LAZYNET_MEMORY_BUDGET",
                           "--warm-up-timeout"}) {
    EXPECT_NE(help.find(text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace lazynet::config
