#include "engine/backend/packed_weights.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace lazynet::backend {
namespace {

TEST(PackedWeights, PacksAKeyOnce) {
  PackedWeights packed;
  int packs = 0;
  const auto pack = [&] {
    ++packs;
    return Buffer::Allocate(100);
  };
  const auto first = packed.GetOrPack("fc1.weight/any", pack);
  const auto second = packed.GetOrPack("fc1.weight/any", pack);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(packs, 1);
  EXPECT_EQ(packed.bytes(), 100u);
}

TEST(PackedWeights, KeepsABufferWhileItIsHeld) {
  PackedWeights packed;
  const auto pack = [] { return Buffer::Allocate(100); };
  auto first = packed.GetOrPack("a", pack);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, *packed.GetOrPack("a", pack));
  EXPECT_EQ(packed.bytes(), 100u);
  first = std::shared_ptr<const Buffer>();
  EXPECT_EQ(packed.bytes(), 0u);
  const auto again = packed.GetOrPack("a", pack);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(packed.GetOrPack(fmt::format("{}", i), pack).ok());
  }
  EXPECT_EQ(*again, *packed.GetOrPack("a", pack));
  EXPECT_EQ(packed.bytes(), 100u);
}

TEST(PackedWeights, PacksDifferentKeysAtOnce) {
  PackedWeights packed;
  std::shared_ptr<const Buffer> inner;
  const auto outer = packed.GetOrPack("a", [&]() -> absl::StatusOr<Buffer> {
    ASSIGN_OR_RETURN(inner, packed.GetOrPack("b", [] { return Buffer::Allocate(8); }));
    return Buffer::Allocate(8);
  });
  ASSERT_TRUE(outer.ok());
  EXPECT_NE(*outer, inner);
  EXPECT_EQ(packed.bytes(), 16u);
}

TEST(PackedWeights, ThreadsThatAskForAKeyGetOneBuffer) {
  PackedWeights packed;
  std::atomic<int> packs = 0;
  std::vector<std::shared_ptr<const Buffer>> got(8);
  std::vector<std::thread> threads;
  for (auto& buffer : got) {
    threads.emplace_back([&] {
      buffer = *packed.GetOrPack("a", [&] {
        ++packs;
        return Buffer::Allocate(8);
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(packs, 1);
  for (const auto& buffer : got) EXPECT_EQ(buffer, got[0]);
}

TEST(PackedWeights, MeasuresAKeyOnceAndFailuresAgain) {
  PackedWeights packed;
  int calls = 0;
  const auto fail = [&]() -> absl::StatusOr<double> {
    ++calls;
    return Internal("no");
  };
  EXPECT_FALSE(packed.GetOrMeasure("a", fail).ok());
  EXPECT_FALSE(packed.GetOrMeasure("a", fail).ok());
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(*packed.GetOrMeasure("a", [] { return absl::StatusOr<double>(2.5); }), 2.5);
  EXPECT_EQ(*packed.GetOrMeasure("a", fail), 2.5);
  EXPECT_EQ(calls, 2);
}

TEST(PackedWeights, BuffersMayOutliveItAndAreCountedToTheEnd) {
  int64_t held = 0;
  auto packed = std::make_unique<PackedWeights>([&](int64_t bytes) { held += bytes; });
  auto buffer = packed->GetOrPack("a", [] { return Buffer::Allocate(100); });
  EXPECT_EQ(held, 100);
  packed.reset();
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ((*buffer)->size(), 100u);
  buffer = std::shared_ptr<const Buffer>();
  EXPECT_EQ(held, 0);
}

TEST(PackedWeights, ABufferKeepsItsAdmissionToItsEnd) {
  const auto admission = std::make_shared<const int>();
  PackedWeights packed(nullptr, [&](size_t) { return std::shared_ptr<const void>(admission); });
  auto buffer = packed.GetOrPack("k", [] { return Buffer::Allocate(8); });
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(admission.use_count(), 2);
  buffer = std::shared_ptr<const Buffer>();
  EXPECT_EQ(admission.use_count(), 1) << "though the key stays";
}

TEST(PackedWeights, WhatIsNotAdmittedIsNotStored) {
  PackedWeights packed(nullptr, [](size_t) { return ResourceExhausted("full"); });
  const auto refused = packed.GetOrPack("k", [] { return Buffer::Allocate(8); });
  EXPECT_EQ(Message(refused.status()), "full");
  EXPECT_EQ(packed.bytes(), 0u);
}

TEST(PackedWeights, AFailedPackStoresNothing) {
  PackedWeights packed;
  const auto failed = packed.GetOrPack("k", [] { return absl::StatusOr<Buffer>(Internal("no")); });
  EXPECT_EQ(Message(failed.status()), "no");
  EXPECT_EQ(packed.bytes(), 0u);
  const auto buffer = packed.GetOrPack("k", [] { return Buffer::Allocate(8); });
  EXPECT_TRUE(buffer.ok());
  EXPECT_EQ(packed.bytes(), 8u);
}

}  // namespace
}  // namespace lazynet::backend
