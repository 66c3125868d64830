#include "service/handlers/shared_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "tests/service/support/shared_memory_object.h"

namespace lazynet::handlers {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using testing::SharedMemoryObject;

inference::SystemSharedMemoryRegisterRequest Region(const std::string& name, const std::string& key,
                                                    uint64_t offset, uint64_t byte_size) {
  inference::SystemSharedMemoryRegisterRequest request;
  request.set_name(name);
  request.set_key(key);
  request.set_offset(offset);
  request.set_byte_size(byte_size);
  return request;
}

SharedMemory::Parameters At(const std::string& region, int64_t byte_size, int64_t offset = 0) {
  SharedMemory::Parameters parameters;
  parameters["shared_memory_region"].set_string_param(region);
  parameters["shared_memory_byte_size"].set_int64_param(byte_size);
  if (offset != 0) parameters["shared_memory_offset"].set_int64_param(offset);
  return parameters;
}

class SharedMemoryTest : public ::testing::Test {
 protected:
  SharedMemoryObject object_{100};
  SharedMemory memory_{true, 1000};
};

TEST_F(SharedMemoryTest, RegionsAreRegisteredDescribedAndUnregistered) {
  ASSERT_TRUE(memory_.Register(Region("a", object_.key(), 10, 90)).ok());
  ASSERT_TRUE(memory_.Register(Region("b", "/" + object_.key(), 0, 100)).ok());
  EXPECT_EQ(memory_.Register(Region("a", object_.key(), 0, 1)).code(), StatusCode::kAlreadyExists);
  inference::SystemSharedMemoryStatusResponse all;
  ASSERT_TRUE(memory_.Describe("", all).ok());
  ASSERT_EQ(all.regions_size(), 2);
  EXPECT_EQ(all.regions().at("a").key(), object_.key());
  EXPECT_EQ(all.regions().at("a").offset(), 10u);
  EXPECT_EQ(all.regions().at("a").byte_size(), 90u);
  inference::SystemSharedMemoryStatusResponse one;
  ASSERT_TRUE(memory_.Describe("b", one).ok());
  EXPECT_EQ(one.regions_size(), 1);
  EXPECT_EQ(memory_.Describe("c", one).code(), StatusCode::kNotFound);
  EXPECT_TRUE(memory_.Unregister("a").ok());
  EXPECT_TRUE(memory_.Unregister("a").ok());
  EXPECT_EQ(memory_.Find(At("a", 1)).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(memory_.Find(At("b", 1)).ok());
  EXPECT_TRUE(memory_.Unregister("").ok());
  EXPECT_EQ(memory_.Find(At("b", 1)).status().code(), StatusCode::kNotFound);
}

TEST_F(SharedMemoryTest, RefusesKeysThatAreNoObjects) {
  for (const std::string& key :
       {std::string(), std::string("/"), std::string("."), std::string(".."), std::string("/.."),
        std::string("../etc/passwd"), std::string("a/b"), std::string("//a"),
        std::string("a\0b", 3), std::string(255, 'x')}) {
    const absl::Status status = memory_.Register(Region("r", key, 0, 1));
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << key;
    EXPECT_THAT(std::string(Message(status)), HasSubstr("a region's key wants the name"));
  }
  EXPECT_EQ(memory_.Register(Region("r", object_.key() + "-absent", 0, 1)).code(),
            StatusCode::kNotFound);
  EXPECT_EQ(memory_.Register(Region("", object_.key(), 0, 1)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(memory_.Register(Region(std::string(256, 'x'), object_.key(), 0, 1)).code(),
            StatusCode::kInvalidArgument);
}

TEST_F(SharedMemoryTest, RefusesBytesThatTheObjectDoesNotHave) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  const std::pair<uint64_t, uint64_t> ranges[] = {{0, 101},   {1, 100},       {100, 1},
                                                  {101, 1},   {0, 0},         {1, kMost},
                                                  {kMost, 1}, {kMost, kMost}, {50, kMost - 40}};
  for (const auto& [offset, bytes] : ranges) {
    EXPECT_EQ(memory_.Register(Region("r", object_.key(), offset, bytes)).code(),
              StatusCode::kInvalidArgument)
        << offset << " " << bytes;
  }
  EXPECT_TRUE(memory_.Register(Region("r", object_.key(), 99, 1)).ok());
}

TEST_F(SharedMemoryTest, FindsWhatParametersSay) {
  ASSERT_TRUE(memory_.Register(Region("r", object_.key(), 20, 80)).ok());
  EXPECT_FALSE(*memory_.Find({}));
  const auto slice = memory_.Find(At("r", 30, 50));
  ASSERT_TRUE(slice.ok()) << slice.status();
  EXPECT_EQ(slice->offset, 50u);
  EXPECT_EQ(slice->bytes, 30u);
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  for (const auto& parameters : {At("r", 81), At("r", 80, 1), At("r", 1, 80), At("r", -1),
                                 At("r", 1, -1), At("r", kMost, kMost), At("r", kMost, 1)}) {
    EXPECT_EQ(memory_.Find(parameters).status().code(), StatusCode::kInvalidArgument);
  }
  SharedMemory::Parameters odd = At("r", 1);
  odd["shared_memory_offset"].set_string_param("1");
  EXPECT_EQ(Message(memory_.Find(odd).status()), "shared_memory_offset wants int64_param");
  odd = At("r", 1);
  odd["shared_memory_region"].set_int64_param(1);
  EXPECT_EQ(Message(memory_.Find(odd).status()), "shared_memory_region wants string_param");
  odd = At("r", 1);
  odd.erase("shared_memory_byte_size");
  EXPECT_EQ(Message(memory_.Find(odd).status()),
            "shared_memory_region wants shared_memory_byte_size");
  odd = At("r", 1);
  odd.erase("shared_memory_region");
  EXPECT_EQ(Message(memory_.Find(odd).status()),
            "shared_memory_byte_size wants shared_memory_region");
}

TEST_F(SharedMemoryTest, ReadsAndWritesAtTheRegionsOffset) {
  ASSERT_TRUE(memory_.Register(Region("r", object_.key(), 20, 80)).ok());
  *object_.at<int32_t>(28) = 7;
  const SharedMemorySlice slice = *memory_.Find(At("r", 4, 8));
  // A request keeps a region that is unregistered.
  ASSERT_TRUE(memory_.Unregister("r").ok());
  std::array<std::byte, 4> bytes{};
  ASSERT_TRUE(slice.region->Read(slice.offset, bytes).ok());
  EXPECT_EQ(bytes[0], std::byte{7});
  bytes[0] = std::byte{9};
  ASSERT_TRUE(slice.region->Write(slice.offset, bytes).ok());
  EXPECT_EQ(*object_.at<int32_t>(28), 9);
}

TEST_F(SharedMemoryTest, AnObjectThatIsShortenedIsAnErrorAndStaysShort) {
  ASSERT_TRUE(memory_.Register(Region("r", object_.key(), 0, 100)).ok());
  const SharedMemorySlice slice = *memory_.Find(At("r", 100));
  object_.Resize(40);
  std::array<std::byte, 100> bytes{};
  for (const absl::Status& status : {slice.region->Read(0, bytes), slice.region->Write(0, bytes)}) {
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(Message(status), "shared memory region \"r\": the object has become shorter");
  }
  EXPECT_EQ(memory_.Register(Region("again", object_.key(), 0, 41)).code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(memory_.Register(Region("again", object_.key(), 0, 40)).ok());
}

TEST_F(SharedMemoryTest, ThereAreOnlySoMany) {
  for (size_t i = 0; i < SharedMemory::kMostRegions; ++i) {
    ASSERT_TRUE(memory_.Register(Region(std::to_string(i), object_.key(), 0, 1)).ok());
  }
  EXPECT_EQ(memory_.Register(Region("more", object_.key(), 0, 1)).code(),
            StatusCode::kResourceExhausted);
}

TEST_F(SharedMemoryTest, IsRefusedWhereItIsNotServed) {
  SharedMemory off(false, 1000);
  inference::SystemSharedMemoryStatusResponse response;
  for (const absl::Status& status :
       {off.Register(Region("r", object_.key(), 0, 1)), off.Unregister(""),
        off.Describe("", response), off.Find(At("r", 1)).status()}) {
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(Message(status)), HasSubstr("--shared-memory"));
  }
  EXPECT_TRUE(off.Find({}).ok());
}

}  // namespace
}  // namespace lazynet::handlers
