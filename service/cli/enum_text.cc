#include "service/cli/enum_text.h"

#include <algorithm>
#include <string_view>

namespace lazynet::cli {
namespace {

std::string Text(const std::string& name, std::string_view prefix, int value) {
  if (name.empty() || !name.starts_with(prefix)) return std::to_string(value);
  std::string text = name.substr(prefix.size());
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

std::string EnumText(v1::NetworkState state) {
  return Text(v1::NetworkState_Name(state), "NETWORK_STATE_", state);
}

std::string EnumText(v1::BindingPolicy policy) {
  return Text(v1::BindingPolicy_Name(policy), "", policy);
}

std::string EnumText(v1::ParameterState state) {
  return Text(v1::ParameterState_Name(state), "PARAMETER_STATE_", state);
}

std::string EnumText(v1::ParameterOrigin origin) {
  return Text(v1::ParameterOrigin_Name(origin), "ORIGIN_", origin);
}

}  // namespace lazynet::cli
