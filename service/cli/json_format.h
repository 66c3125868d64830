#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/cli/answer.h"

// How JSON reports write values.
namespace lazynet::cli::json {

// Keys stay in the order they are added.
using Json = nlohmann::ordered_json;

// The document on a line of its own.
void Write(const Json& json, std::ostream& out);

template <typename Values>
Json Array(const Values& values) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(value);
  return array;
}

// Any message with a name, a datatype and a shape.
template <typename Signatures>
Json Tensors(const Signatures& signatures) {
  Json array = Json::array();
  for (const auto& tensor : signatures) {
    array.push_back({{"name", tensor.name()},
                     {"datatype", tensor.datatype()},
                     {"shape", Array(tensor.shape())}});
  }
  return array;
}

Json Parameters(const google::protobuf::RepeatedPtrField<v1::ParameterDescription>& parameters);
Json Binding(const v1::Binding& binding);
Json Time(const google::protobuf::Timestamp& time);

// Floats as the shortest text that reads back to the same value; what is not finite as text.
Json Number(const Element& element);

}  // namespace lazynet::cli::json
