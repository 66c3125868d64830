// House rules for the files of package lazynet.v1.

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "proto/lazynet/v1/lazynet.grpc.pb.h"
#include "proto/lazynet/v1/network.pb.h"

namespace lazynet {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FileDescriptor;

void ForEachEnum(const FileDescriptor* file,
                 const std::function<void(const EnumDescriptor*)>& visit) {
  for (int i = 0; i < file->enum_type_count(); ++i) visit(file->enum_type(i));
  const std::function<void(const Descriptor*)> walk = [&](const Descriptor* message) {
    for (int i = 0; i < message->enum_type_count(); ++i) visit(message->enum_type(i));
    for (int i = 0; i < message->nested_type_count(); ++i) walk(message->nested_type(i));
  };
  for (int i = 0; i < file->message_type_count(); ++i) walk(file->message_type(i));
}

TEST(LazynetProto, EnumsStartWithUnspecified) {
  int enums = 0;
  const auto check = [&](const EnumDescriptor* type) {
    ++enums;
    const std::string suffix = "_UNSPECIFIED";
    const std::string& first = type->value(0)->name();
    EXPECT_EQ(type->value(0)->number(), 0) << type->full_name();
    EXPECT_TRUE(first.size() > suffix.size() &&
                first.compare(first.size() - suffix.size(), suffix.size(), suffix) == 0)
        << type->full_name();
  };
  ForEachEnum(v1::DescribeNetworkResponse::descriptor()->file(), check);
  ForEachEnum(v1::NetworkDefinition::descriptor()->file(), check);
  EXPECT_GE(enums, 4);
}

TEST(LazynetProto, TheServiceHasTheNameThatPathsAreMadeOf) {
  EXPECT_STREQ(v1::LazyNetworkService::service_full_name(), "lazynet.v1.LazyNetworkService");
}

TEST(LazynetProto, ADescriptionTellsKnownSizesFromUnknownOnes) {
  v1::DescribeNetworkResponse response;
  v1::ParameterDescription* weight = response.add_layers()->add_parameters();
  weight->set_name("fc1.weight");
  weight->add_shape(10);
  weight->add_shape(-1);
  weight->set_state(v1::PARAMETER_STATE_UNINITIALIZED);
  v1::DescribeNetworkResponse copy;
  ASSERT_TRUE(copy.ParseFromString(response.SerializeAsString()));
  EXPECT_EQ(copy.layers(0).parameters(0).shape(1), -1);
  EXPECT_FALSE(copy.has_binding());
}

}  // namespace
}  // namespace lazynet
