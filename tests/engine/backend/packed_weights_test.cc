#include "engine/backend/packed_weights.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>

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

TEST(PackedWeights, KeepsTransientConstantsOnlyWhileTheyAreUsed) {
  PackedWeights packed;
  const auto pack = [] { return Buffer::Allocate(100); };
  auto first = packed.GetOrPack("~a", pack);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, *packed.GetOrPack("~a", pack));
  EXPECT_EQ(packed.bytes(), 100u);
  first = std::shared_ptr<const Buffer>();
  EXPECT_EQ(packed.bytes(), 0u);
  const auto again = packed.GetOrPack("~a", pack);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(packed.GetOrPack(fmt::format("~{}", i), pack).ok());
  }
  EXPECT_EQ(*again, *packed.GetOrPack("~a", pack));
  EXPECT_EQ(packed.bytes(), 100u);
}

TEST(PackedWeights, BuffersMayOutliveIt) {
  auto packed = std::make_unique<PackedWeights>();
  const auto buffer = packed->GetOrPack("~a", [] { return Buffer::Allocate(100); });
  packed.reset();
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ((*buffer)->size(), 100u);
}

TEST(PackedWeights, AFailedPackStoresNothing) {
  PackedWeights packed;
  const auto failed = packed.GetOrPack("k", [] { return absl::StatusOr<Buffer>(Internal("no")); });
  EXPECT_EQ(Message(failed.status()), "no");
  EXPECT_EQ(packed.bytes(), 0u);
  EXPECT_TRUE(packed.GetOrPack("k", [] { return Buffer::Allocate(8); }).ok());
  EXPECT_EQ(packed.bytes(), 8u);
}

}  // namespace
}  // namespace lazynet::backend
