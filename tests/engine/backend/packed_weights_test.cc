#include "engine/backend/packed_weights.h"

#include <gtest/gtest.h>

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
