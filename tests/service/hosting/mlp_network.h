#pragma once

#include <memory>
#include <string>
#include <utility>

#include "service/hosting/hosted_network.h"
#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"

// Two lazy linear layers, hosted; nothing is said about their sizes.
namespace lazynet::testing::mlp {

using hosting::HostedDefinition;
using hosting::HostedNetwork;
using hosting::ServingOptions;

inline HostedDefinition Definition(nn::NetworkDefinition definition = LazyMlp(),
                                   ServingOptions serving = {}) {
  return {.network = NetworkOf(std::move(definition)),
          .fingerprint = "fingerprint",
          .serving = std::move(serving)};
}

inline std::shared_ptr<HostedNetwork> Host(const TestHost& host, HostedDefinition definition) {
  auto hosted = HostedNetwork::Create(std::move(definition), host.environment);
  LAZYNET_CHECK(hosted.ok());
  return *std::move(hosted);
}

inline absl::Status Request(HostedNetwork& network, const Shape& shape) {
  return network.Prepare({&shape, 1}).status();
}

inline absl::Status Load(HostedNetwork& network, const nn::StateDict& values, bool strict = false) {
  nn::LoadReport report;
  return network.Load(values, {.allow_missing = !strict, .allow_unexpected = !strict}, false,
                      report);
}

inline std::string HashOf(const HostedNetwork& network) {
  return network.bound()->hash(network.network());
}

}  // namespace lazynet::testing::mlp
