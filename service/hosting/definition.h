#pragma once

#include <string>
#include <string_view>

#include "engine/nn/network_definition.h"

namespace lazynet::v1 {
class NetworkDefinition;
}

namespace lazynet::hosting {

// Read a definition in protobuf's text or JSON form. INVALID_ARGUMENT says what is wrong: for text
// with line and column; unknown fields are errors.
absl::StatusOr<v1::NetworkDefinition> ReadDefinitionText(std::string_view text);
absl::StatusOr<v1::NetworkDefinition> ReadDefinitionJson(std::string_view json);

// The same, converted.
absl::StatusOr<nn::NetworkDefinition> ParseDefinitionText(std::string_view text, std::string name);
absl::StatusOr<nn::NetworkDefinition> ParseDefinitionJson(std::string_view json, std::string name);

// By reflection: a layer's message name is its type, the fields that are set are its arguments.
// Initializers likewise, by the name of their field. INVALID_ARGUMENT for an unknown datatype, a
// layer without a type, and an initializer without a function or with wrong arguments.
absl::StatusOr<nn::NetworkDefinition> ConvertDefinition(const v1::NetworkDefinition& definition,
                                                        std::string name);

// SHA-256, in hexadecimal, over a definition: the same for the same text and JSON, whatever their
// comments and order of fields, and whatever is to be computed in, as no parameter depends on that.
std::string Fingerprint(const v1::NetworkDefinition& definition);

}  // namespace lazynet::hosting
