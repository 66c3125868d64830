#include "engine/nn/initializer_registry.h"

#include <map>

#include "engine/nn/attribute_reader.h"

namespace lazynet::nn {
namespace {

init::Initializer ReadConstant(AttributeReader& reader) {
  reader.Require(reader.Has("val"), "argument val is missing");
  return init::ConstantInitializer{reader.Double("val", 0.0)};
}

init::Initializer ReadUniform(AttributeReader& reader) {
  const init::UniformInitializer defaults;
  return init::UniformInitializer{.a = reader.Double("a", defaults.a),
                                  .b = reader.Double("b", defaults.b)};
}

init::Initializer ReadNormal(AttributeReader& reader) {
  const init::NormalInitializer defaults;
  return init::NormalInitializer{.mean = reader.Double("mean", defaults.mean),
                                 .std = reader.Double("std", defaults.std)};
}

init::Initializer ReadTruncatedNormal(AttributeReader& reader) {
  const init::TruncatedNormalInitializer defaults;
  return init::TruncatedNormalInitializer{.mean = reader.Double("mean", defaults.mean),
                                          .std = reader.Double("std", defaults.std),
                                          .a = reader.Double("a", defaults.a),
                                          .b = reader.Double("b", defaults.b)};
}

template <typename WithGain>
init::Initializer ReadGain(AttributeReader& reader) {
  return WithGain{reader.Double("gain", WithGain().gain)};
}

template <typename Kaiming>
init::Initializer ReadKaiming(AttributeReader& reader) {
  Kaiming kaiming;
  kaiming.negative_slope = reader.Double("a", kaiming.negative_slope);
  const std::string mode = reader.String("mode", "fan_in");
  reader.Require(mode == "fan_in" || mode == "fan_out",
                 fmt::format("argument mode wants \"fan_in\" or \"fan_out\", got \"{}\"", mode));
  if (mode == "fan_out") kaiming.mode = init::FanMode::kFanOut;
  const std::string name = reader.String("nonlinearity", "leaky_relu");
  const auto nonlinearity = init::ParseNonlinearity(name);
  reader.Require(nonlinearity.has_value(),
                 fmt::format("argument nonlinearity wants a name of calculate_gain (linear, conv1d "
                             "to conv_transpose3d, sigmoid, tanh, relu, leaky_relu, selu), got "
                             "\"{}\"",
                             name));
  kaiming.nonlinearity = nonlinearity.value_or(kaiming.nonlinearity);
  return kaiming;
}

init::Initializer ReadDirac(AttributeReader& reader) {
  return init::DiracInitializer{.groups = reader.Int("groups", init::DiracInitializer().groups)};
}

using Read = init::Initializer (*)(AttributeReader&);

const std::map<std::string, Read, std::less<>>& Functions() {
  static const auto& functions = *new std::map<std::string, Read, std::less<>>{
      {"constant", ReadConstant},
      {"dirac", ReadDirac},
      {"eye", [](AttributeReader&) -> init::Initializer { return init::EyeInitializer{}; }},
      {"kaiming_normal", ReadKaiming<init::KaimingNormalInitializer>},
      {"kaiming_uniform", ReadKaiming<init::KaimingUniformInitializer>},
      {"normal", ReadNormal},
      {"ones",
       [](AttributeReader&) -> init::Initializer { return init::ConstantInitializer{1.0}; }},
      {"orthogonal", ReadGain<init::OrthogonalInitializer>},
      {"trunc_normal", ReadTruncatedNormal},
      {"uniform", ReadUniform},
      {"xavier_normal", ReadGain<init::XavierNormalInitializer>},
      {"xavier_uniform", ReadGain<init::XavierUniformInitializer>},
      {"zeros", [](AttributeReader&) -> init::Initializer { return init::ConstantInitializer{}; }},
  };
  return functions;
}

}  // namespace

absl::StatusOr<init::Initializer> MakeInitializer(std::string_view function,
                                                  const Attributes& attributes) {
  const auto read = Functions().find(function);
  if (read == Functions().end()) {
    return InvalidArgument("unknown initializer \"{}\"", function);
  }
  AttributeReader reader(attributes);
  init::Initializer initializer = read->second(reader);
  if (absl::Status status = reader.Finish(); !status.ok()) return Annotate(function, status);
  return initializer;
}

std::vector<std::string> InitializerFunctions() {
  std::vector<std::string> names;
  for (const auto& [name, read] : Functions()) names.push_back(name);
  return names;
}

}  // namespace lazynet::nn
