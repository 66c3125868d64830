#include "service/hosting/definition.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <optional>
#include <utility>
#include <vector>

#include "engine/core/status.h"
#include "engine/nn/initializer_registry.h"
#include "proto/lazynet/v1/network.pb.h"
#include "service/hosting/sha256.h"
#include "service/hosting/text_errors.h"

namespace lazynet::hosting {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// All of a repeated field; `get` is the reflection's function for one of them.
template <typename T>
std::vector<T> RepeatedValues(const Message& message, const FieldDescriptor* field,
                              T (Reflection::*get)(const Message&, const FieldDescriptor*, int)
                                  const) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<T> values;
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    values.push_back((reflection.*get)(message, field, i));
  }
  return values;
}

std::optional<nn::AttributeValue> ReadAttribute(const Message& message,
                                                const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  if (field->is_repeated()) {
    if (reflection.FieldSize(message, field) == 0) return std::nullopt;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      return RepeatedValues(message, field, &Reflection::GetRepeatedDouble);
    }
    return RepeatedValues(message, field, &Reflection::GetRepeatedInt64);
  }
  if (!reflection.HasField(message, field)) return std::nullopt;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.GetDouble(message, field);
    case FieldDescriptor::CPPTYPE_ENUM:  // a number, or a word for a negative one
      return static_cast<int64_t>(reflection.GetEnumValue(message, field));
    default:
      return reflection.GetString(message, field);
  }
}

nn::Attributes ReadAttributes(const Message& message) {
  nn::Attributes attributes;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (auto value = ReadAttribute(message, field)) {
      attributes.emplace_back(field->name(), *std::move(value));
    }
  }
  return attributes;
}

// The field of the oneof that is set, or null.
const FieldDescriptor* SetField(const Message& message, const char* oneof) {
  return message.GetReflection()->GetOneofFieldDescriptor(
      message, message.GetDescriptor()->FindOneofByName(oneof));
}

absl::StatusOr<DType> ReadDType(std::string_view where, const std::string& name) {
  const std::optional<DType> dtype = ParseDType(name);
  if (!dtype) return InvalidArgument("{}: unknown datatype \"{}\"", where, name);
  return *dtype;
}

absl::StatusOr<nn::InitializerDefinition> ConvertInitializer(const v1::Initializer& initializer) {
  const FieldDescriptor* field = SetField(initializer, "function");
  const std::string where = fmt::format("initializer of \"{}\"", initializer.parameter());
  if (field == nullptr) return InvalidArgument("{} wants a function", where);
  auto made = nn::MakeInitializer(
      field->name(), ReadAttributes(initializer.GetReflection()->GetMessage(initializer, field)));
  if (!made.ok()) return Annotate(where, made.status());
  return nn::InitializerDefinition{initializer.parameter(), *made};
}

absl::StatusOr<nn::LayerDefinition> ConvertLayer(const v1::Layer& layer) {
  const std::string where = fmt::format("layer \"{}\"", layer.name());
  nn::LayerDefinition converted{.name = layer.name(),
                                .inputs = {layer.inputs().begin(), layer.inputs().end()},
                                .same_as = layer.same_as()};
  if (!layer.dtype().empty()) {
    ASSIGN_OR_RETURN(converted.dtype, ReadDType(where, layer.dtype()));
  }
  for (const v1::Initializer& initializer : layer.initializers()) {
    auto added = ConvertInitializer(initializer);
    if (!added.ok()) return Annotate(where, added.status());
    converted.initializers.push_back(*std::move(added));
  }
  const FieldDescriptor* field = SetField(layer, "type");
  if (field == nullptr && layer.same_as().empty())
    return InvalidArgument("{}: wants a type", where);
  if (field == nullptr) return converted;
  converted.type = field->message_type()->name();
  converted.attributes = ReadAttributes(layer.GetReflection()->GetMessage(layer, field));
  return converted;
}

}  // namespace

absl::StatusOr<nn::NetworkDefinition> ConvertDefinition(const v1::NetworkDefinition& definition,
                                                        std::string name) {
  nn::NetworkDefinition converted{.name = std::move(name), .seed = definition.seed()};
  for (const v1::Input& input : definition.inputs()) {
    nn::InputDefinition& added = converted.inputs.emplace_back();
    added.name = input.name();
    if (!input.datatype().empty()) {
      ASSIGN_OR_RETURN(added.dtype,
                       ReadDType(fmt::format("input \"{}\"", input.name()), input.datatype()));
    }
    if (!input.shape().empty()) {
      added.shape = Shape(Shape::Dims(input.shape().begin(), input.shape().end()));
    }
  }
  for (const v1::Layer& layer : definition.layers()) {
    ASSIGN_OR_RETURN(nn::LayerDefinition added, ConvertLayer(layer));
    converted.layers.push_back(std::move(added));
  }
  for (const v1::Output& output : definition.outputs()) {
    converted.outputs.push_back({output.name(), output.layer()});
  }
  switch (definition.draw_order()) {
    case v1::NetworkDefinition::DRAW_ORDER_UNSPECIFIED:
    case v1::NetworkDefinition::TORCH:
      converted.draw_order = nn::DrawOrder::kTorch;
      break;
    case v1::NetworkDefinition::PER_LAYER:
      converted.draw_order = nn::DrawOrder::kPerLayer;
      break;
    default:
      return InvalidArgument("draw_order wants TORCH or PER_LAYER, got {}",
                             static_cast<int>(definition.draw_order()));
  }
  if (!definition.parameter_dtype().empty()) {
    ASSIGN_OR_RETURN(converted.parameter_dtype,
                     ReadDType("parameter_dtype", definition.parameter_dtype()));
  }
  if (!definition.compute().empty()) {
    ASSIGN_OR_RETURN(converted.compute_dtype, ReadDType("compute", definition.compute()));
  }
  return converted;
}

absl::StatusOr<v1::NetworkDefinition> ReadDefinitionText(std::string_view text) {
  TextErrors errors;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.SetRecursionLimit(100);
  v1::NetworkDefinition definition;
  if (!parser.ParseFromString(std::string(text), &definition)) return errors.ToStatus();
  return definition;
}

absl::StatusOr<v1::NetworkDefinition> ReadDefinitionJson(std::string_view json) {
  v1::NetworkDefinition definition;
  const auto status =
      google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &definition);
  if (!status.ok()) return InvalidArgument("{}", status.message().ToString());
  return definition;
}

absl::StatusOr<nn::NetworkDefinition> ParseDefinitionText(std::string_view text, std::string name) {
  ASSIGN_OR_RETURN(const v1::NetworkDefinition definition, ReadDefinitionText(text));
  return ConvertDefinition(definition, std::move(name));
}

absl::StatusOr<nn::NetworkDefinition> ParseDefinitionJson(std::string_view json, std::string name) {
  ASSIGN_OR_RETURN(const v1::NetworkDefinition definition, ReadDefinitionJson(json));
  return ConvertDefinition(definition, std::move(name));
}

std::string Fingerprint(const v1::NetworkDefinition& definition) {
  v1::NetworkDefinition counted = definition;
  counted.clear_compute();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    counted.SerializeToCodedStream(&coded);
  }
  Sha256 hash;
  hash.Add(bytes);
  return hash.Finish();
}

}  // namespace lazynet::hosting
