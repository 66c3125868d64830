#include <gtest/gtest.h>
#include <malloc.h>

#include "service/hosting/hosted_network.h"
#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"

namespace lazynet::hosting {
namespace {

size_t HeapBytes() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

TEST(ManyNetworks, ALazyOneTakesNoMoreThan4KilobytesBesideItsDefinition) {
  constexpr size_t kNetworks = 10'000;
  testing::TestHost host;
  std::vector<HostedDefinition> definitions;
  for (size_t i = 0; i < kNetworks; ++i) {
    nn::NetworkDefinition definition = testing::LazyMlp();
    definition.name = "network-" + std::to_string(i);
    definitions.push_back({.network = testing::NetworkOf(std::move(definition)),
                           .fingerprint = std::string(64, 'f')});
  }
  std::vector<std::shared_ptr<HostedNetwork>> networks;
  networks.reserve(kNetworks);
  const size_t before = HeapBytes();
  if (before == 0) GTEST_SKIP() << "this heap does not tell";
  for (const HostedDefinition& definition : definitions) {
    networks.push_back(*HostedNetwork::Create(definition, host.environment));
  }
  const size_t each = (HeapBytes() - before) / kNetworks;
  RecordProperty("bytes_per_network", static_cast<int>(each));
  EXPECT_LE(each, 4096u);
  EXPECT_EQ(host.budget.used(), 0u);
}

}  // namespace
}  // namespace lazynet::hosting
