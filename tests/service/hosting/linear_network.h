#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/hosting/hosted_network.h"
#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"
#include "tests/support/run_op.h"

// One lazy linear layer, hosted, whose memory is known.
namespace lazynet::testing::linear {

using hosting::HostedDefinition;
using hosting::HostedNetwork;
using hosting::ServingOptions;

// 4 KB of parameters when it is bound to 32 features.
inline nn::NetworkDefinition Linear(int64_t seed = 0) {
  auto definition = DefinitionOf({LayerOf("fc", "Linear", {Arg("out_features", 31)})});
  definition.seed = seed;
  return definition;
}
inline constexpr size_t kParameterBytes = 4 * (31 * 32 + 31);
inline const Shape kShape{2, 32};

inline HostedDefinition Definition(ServingOptions serving = {}, int64_t seed = 0) {
  return {.network = NetworkOf(Linear(seed)),
          .fingerprint = "fingerprint",
          .serving = std::move(serving)};
}

inline std::shared_ptr<HostedNetwork> Host(const TestHost& host, HostedDefinition definition) {
  auto hosted = HostedNetwork::Create(std::move(definition), host.environment);
  LAZYNET_CHECK(hosted.ok());
  return *std::move(hosted);
}

inline absl::Status Request(HostedNetwork& network, const Shape& shape = kShape) {
  return network.Prepare({&shape, 1}).status();
}

// As a server does it: what is there is found.
inline std::vector<float> Answer(HostedNetwork& network, const Shape& shape = kShape) {
  auto found = network.Find({&shape, 1});
  if (!found) {
    auto prepared = network.Prepare({&shape, 1});
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    if (!prepared.ok()) return {};
    found = *std::move(prepared);
  }
  std::vector<float> ones(static_cast<size_t>(shape.num_elements()), 1);
  const Tensor input = Values(shape, ones);
  plan::Workspace workspace;
  const auto outputs = found->plan->Run({&input, 1}, workspace);
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  if (!outputs.ok()) return {};
  const auto values = outputs->front().values<float>();
  return {values.begin(), values.end()};
}

inline std::string HashOf(HostedNetwork& network) {
  auto hash = network.ParameterHash();
  return hash.ok() ? *hash : std::string(Message(hash.status()));
}

}  // namespace lazynet::testing::linear
