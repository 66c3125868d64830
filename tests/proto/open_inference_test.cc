// Compares inference.proto, model_config.proto and health.proto, as compiled, with
// open_inference_table.txt.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "proto/inference.grpc.pb.h"
#include "proto/model_config.pb.h"

namespace lazynet {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::ServiceDescriptor;

// "message inference.ModelReadyRequest" -> {"1 name string", "2 version string"}.
using Schema = std::map<std::string, std::vector<std::string>>;

// Fields may be declared in any order; their numbers are the contract.
void Sort(Schema& schema) {
  for (auto& [title, lines] : schema) std::sort(lines.begin(), lines.end());
}

Schema ReadTable() {
  std::ifstream file(LAZYNET_SOURCE_DIR "/tests/proto/open_inference_table.txt");
  EXPECT_TRUE(file.is_open());
  Schema schema;
  std::string package;
  std::vector<std::string>* section = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string first, second;
    words >> first >> second;
    if (line[0] == ' ') {
      if (section == nullptr) {
        ADD_FAILURE() << "no section above: " << line;
        continue;
      }
      section->push_back(line.substr(line.find_first_not_of(' ')));
    } else if (first == "package") {
      package = second;
    } else {
      const auto [entry, is_new] = schema.try_emplace(first + " " + package + "." + second);
      EXPECT_TRUE(is_new) << "twice in the table: " << line;
      section = &entry->second;
    }
  }
  Sort(schema);
  return schema;
}

// The name without the package in front, if it is the file's own.
std::string RelativeName(const std::string& full_name, const FileDescriptor* file) {
  const std::string prefix = file->package() + ".";
  return full_name.rfind(prefix, 0) == 0 ? full_name.substr(prefix.size()) : full_name;
}

std::string TypeName(const FieldDescriptor* field) {
  if (field->message_type() != nullptr) {
    return RelativeName(field->message_type()->full_name(), field->file());
  }
  if (field->enum_type() != nullptr) {
    return RelativeName(field->enum_type()->full_name(), field->file());
  }
  return field->type_name();
}

std::string FieldLine(const FieldDescriptor* field) {
  std::string line = std::to_string(field->number()) + " " + field->name() + " ";
  if (field->is_map()) {
    const Descriptor* entry = field->message_type();
    line += "map<" + TypeName(entry->map_key()) + "," + TypeName(entry->map_value()) + ">";
  } else {
    if (field->is_repeated()) line += "repeated ";
    if (field->has_optional_keyword()) line += "optional ";
    line += TypeName(field);
  }
  if (const auto* oneof = field->real_containing_oneof()) line += " in " + oneof->name();
  return line;
}

void AddEnum(const EnumDescriptor* type, Schema& schema) {
  std::vector<std::string>& lines = schema["enum " + type->full_name()];
  for (int i = 0; i < type->value_count(); ++i) {
    lines.push_back(std::to_string(type->value(i)->number()) + " " + type->value(i)->name());
  }
}

void AddMessage(const Descriptor* type, Schema& schema) {
  if (type->options().map_entry()) return;
  std::vector<std::string>& lines = schema["message " + type->full_name()];
  for (int i = 0; i < type->field_count(); ++i) lines.push_back(FieldLine(type->field(i)));
  for (int i = 0; i < type->enum_type_count(); ++i) AddEnum(type->enum_type(i), schema);
  for (int i = 0; i < type->nested_type_count(); ++i) AddMessage(type->nested_type(i), schema);
}

void AddService(const ServiceDescriptor* service, Schema& schema) {
  std::vector<std::string>& lines = schema["service " + service->full_name()];
  for (int i = 0; i < service->method_count(); ++i) {
    const auto* method = service->method(i);
    std::string line = method->name();
    line += method->client_streaming() ? " stream " : " ";
    line += RelativeName(method->input_type()->full_name(), service->file());
    line += method->server_streaming() ? " stream " : " ";
    line += RelativeName(method->output_type()->full_name(), service->file());
    lines.push_back(line);
  }
}

void AddFile(const FileDescriptor* file, Schema& schema) {
  EXPECT_EQ(file->syntax(), FileDescriptor::SYNTAX_PROTO3) << file->name();
  EXPECT_EQ(file->extension_count(), 0) << file->name();
  for (int i = 0; i < file->message_type_count(); ++i) AddMessage(file->message_type(i), schema);
  for (int i = 0; i < file->enum_type_count(); ++i) AddEnum(file->enum_type(i), schema);
  for (int i = 0; i < file->service_count(); ++i) AddService(file->service(i), schema);
}

Schema CompiledSchema() {
  Schema schema;
  AddFile(inference::ModelInferRequest::descriptor()->file(), schema);
  AddFile(inference::ModelConfig::descriptor()->file(), schema);
  AddFile(grpc::health::v1::HealthCheckRequest::descriptor()->file(), schema);
  Sort(schema);
  return schema;
}

TEST(OpenInference, EveryTypeOfTheTableIsCompiledAsItSays) {
  const Schema compiled = CompiledSchema();
  for (const auto& [title, lines] : ReadTable()) {
    const auto found = compiled.find(title);
    if (found == compiled.end()) {
      ADD_FAILURE() << "missing: " << title;
    } else {
      EXPECT_THAT(found->second, testing::ElementsAreArray(lines)) << title;
    }
  }
}

TEST(OpenInference, NothingIsCompiledThatTheTableLacks) {
  const Schema table = ReadTable();
  for (const auto& [title, lines] : CompiledSchema()) {
    EXPECT_EQ(table.count(title), 1u) << "extra: " << title;
  }
}

TEST(OpenInference, TheTableIsWhole) {
  const Schema table = ReadTable();
  const auto count = [&](const std::string& kind) {
    return std::count_if(table.begin(), table.end(), [&](const auto& section) {
      return section.first.rfind(kind + " inference.", 0) == 0;
    });
  };
  EXPECT_EQ(count("service"), 1);
  EXPECT_EQ(count("enum"), 9);
  EXPECT_EQ(count("message"), 105);
  EXPECT_EQ(table.at("service inference.GRPCInferenceService").size(), 20u);
}

TEST(OpenInference, ServicesHaveTheNamesThatPathsAreMadeOf) {
  EXPECT_STREQ(inference::GRPCInferenceService::service_full_name(),
               "inference.GRPCInferenceService");
  EXPECT_STREQ(grpc::health::v1::Health::service_full_name(), "grpc.health.v1.Health");
}

}  // namespace
}  // namespace lazynet
