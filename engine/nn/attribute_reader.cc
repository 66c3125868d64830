#include "engine/nn/attribute_reader.h"

#include <algorithm>
#include <utility>

namespace lazynet::nn {

using backend::AxisVector;

const AttributeValue* AttributeReader::Find(std::string_view name) const {
  for (const auto& [key, value] : attributes_) {
    if (key == name) return &value;
  }
  return nullptr;
}

template <typename T>
const T* AttributeReader::Get(std::string_view name, std::string_view kind) {
  read_.emplace_back(name);
  const AttributeValue* value = Find(name);
  if (value == nullptr) return nullptr;
  const T* typed = std::get_if<T>(value);
  Require(typed != nullptr, fmt::format("argument {} wants {}", name, kind));
  return typed;
}

void AttributeReader::Require(bool condition, std::string message) {
  if (!condition && fault_.ok()) fault_ = absl::InvalidArgumentError(message);
}

bool AttributeReader::Bool(std::string_view name, bool default_value) {
  const bool* value = Get<bool>(name, "true or false");
  return value != nullptr ? *value : default_value;
}

double AttributeReader::Double(std::string_view name, double default_value) {
  const double* value = Get<double>(name, "a number");
  return value != nullptr ? *value : default_value;
}

std::string AttributeReader::String(std::string_view name, std::string default_value) {
  const std::string* value = Get<std::string>(name, "text");
  return value != nullptr ? *value : std::move(default_value);
}

std::optional<int64_t> AttributeReader::OptionalInt(std::string_view name) {
  const int64_t* value = Get<int64_t>(name, "an integer");
  if (value == nullptr) return std::nullopt;
  return *value;
}

int64_t AttributeReader::Int(std::string_view name, int64_t default_value) {
  return OptionalInt(name).value_or(default_value);
}

int64_t AttributeReader::RequiredInt(std::string_view name, int64_t minimum) {
  const std::optional<int64_t> value = OptionalInt(name);
  Require(value.has_value(), fmt::format("argument {} is missing", name));
  if (!value) return minimum;
  Require(*value >= minimum && *value <= kMaxDim,
          fmt::format("argument {} wants {} to {}, got {}", name, minimum, kMaxDim, *value));
  return fault_.ok() ? *value : minimum;
}

std::optional<int64_t> AttributeReader::Size(std::string_view name) {
  const std::optional<int64_t> value = OptionalInt(name);
  if (!value) return std::nullopt;
  Require(*value >= 1 && *value <= kMaxDim,
          fmt::format("argument {} wants 1 to {} (or nothing, to be lazy), got {}", name, kMaxDim,
                      *value));
  return fault_.ok() ? *value : 1;
}

std::optional<int64_t> AttributeReader::SizeOrInput(std::string_view name, int64_t default_value,
                                                    std::string_view word) {
  const int64_t value = Int(name, default_value);
  if (value == kInputSize) return std::nullopt;
  Require(value >= 1 && value <= kMaxDim,
          fmt::format("argument {} wants 1 to {} or {}, got {}", name, kMaxDim, word, value));
  return fault_.ok() ? value : default_value;
}

std::optional<AxisVector> AttributeReader::OptionalPerAxis(std::string_view name, int axes,
                                                           int64_t minimum) {
  const auto* values = Get<std::vector<int64_t>>(name, "a list of integers");
  if (values == nullptr) return std::nullopt;
  const size_t wanted = static_cast<size_t>(axes);
  if (values->size() != 1 && values->size() != wanted) {
    Require(false,
            fmt::format("argument {} wants 1 or {} numbers, got {}", name, axes, values->size()));
    return std::nullopt;
  }
  for (int64_t value : *values) {
    Require(value >= minimum && value <= kMaxDim,
            fmt::format("argument {} wants {} to {}, got {}", name, minimum, kMaxDim, value));
  }
  if (!fault_.ok()) return std::nullopt;
  if (values->size() == 1) return AxisVector(wanted, values->front());
  return AxisVector(values->begin(), values->end());
}

AxisVector AttributeReader::PerAxis(std::string_view name, int axes, int64_t minimum,
                                    int64_t default_value) {
  return OptionalPerAxis(name, axes, minimum)
      .value_or(AxisVector(static_cast<size_t>(axes), default_value));
}

AxisVector AttributeReader::RequiredPerAxis(std::string_view name, int axes, int64_t minimum) {
  Require(Has(name), fmt::format("argument {} is missing", name));
  return PerAxis(name, axes, minimum, 1);
}

std::vector<int64_t> AttributeReader::Dims(std::string_view name,
                                           std::vector<int64_t> default_value) {
  const auto* values = Get<std::vector<int64_t>>(name, "a list of integers");
  if (values == nullptr) return default_value;
  Require(values->size() <= kMaxRank, fmt::format("argument {} wants at most {} numbers, got {}",
                                                  name, kMaxRank, values->size()));
  for (const int64_t value : *values) {
    Require(value == kUnknownDim || (value >= 1 && value <= kMaxDim),
            fmt::format("argument {} wants 1 to {} or -1 (lazy), got {}", name, kMaxDim, value));
  }
  return fault_.ok() ? *values : default_value;
}

std::vector<int64_t> AttributeReader::Ints(std::string_view name) {
  const auto* values = Get<std::vector<int64_t>>(name, "a list of integers");
  return values != nullptr ? *values : std::vector<int64_t>();
}

std::vector<double> AttributeReader::Doubles(std::string_view name) {
  const auto* values = Get<std::vector<double>>(name, "a list of numbers");
  return values != nullptr ? *values : std::vector<double>();
}

std::vector<int64_t> AttributeReader::Axes(std::string_view name) {
  std::vector<int64_t> values = Ints(name);
  for (const int64_t value : values) {
    Require(
        value >= -kMaxRank && value < kMaxRank,
        fmt::format("argument {} wants {} to {}, got {}", name, -kMaxRank, kMaxRank - 1, value));
  }
  return fault_.ok() ? values : std::vector<int64_t>();
}

std::optional<std::vector<DimExpression>> AttributeReader::Expressions(std::string_view name) {
  const std::string* text = Get<std::string>(name, "text");
  if (text == nullptr) return std::nullopt;
  auto parsed = DimExpression::ParseList(*text);
  if (parsed.ok()) return *std::move(parsed);
  Require(false, fmt::format("argument {} {}", name, Message(parsed.status())));
  return std::vector<DimExpression>();
}

std::optional<DimExpression> AttributeReader::Expression(std::string_view name) {
  const auto all = Expressions(name);
  if (!all) return std::nullopt;
  Require(all->size() == 1, fmt::format("argument {} wants 1 number, got {}", name, all->size()));
  if (all->empty()) return std::nullopt;
  return all->front();
}

absl::Status AttributeReader::Finish() const {
  if (!fault_.ok()) return fault_;
  for (const auto& [name, value] : attributes_) {
    if (std::find(read_.begin(), read_.end(), name) == read_.end()) {
      return InvalidArgument("has no argument {}", name);
    }
  }
  return absl::OkStatus();
}

}  // namespace lazynet::nn
