#include "service/hosting/shape_history.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace lazynet::hosting {
namespace {

using nlohmann::json;

// An input more than a network may have would be no network's.
constexpr size_t kMostInputs = 256;

}  // namespace

void ShapeHistory::Add(std::vector<Shape> shapes, uint64_t uses) {
  if (uses == 0) return;
  auto entry = std::find_if(entries_.begin(), entries_.end(),
                            [&](const Entry& known) { return known.shapes == shapes; });
  if (entry == entries_.end()) {
    // In place of the least used, which may come back the same way.
    if (entries_.size() >= kMostShapes) entries_.pop_back();
    entry = entries_.insert(entries_.end(), {std::move(shapes), 0});
  }
  entry->uses += std::min(uses, UINT64_MAX - entry->uses);
  const auto place = std::find_if(entries_.begin(), entry,
                                  [&](const Entry& known) { return known.uses < entry->uses; });
  std::rotate(place, entry, entry + 1);
}

void ShapeHistory::Age() {
  for (Entry& entry : entries_) entry.uses /= 2;
  std::erase_if(entries_, [](const Entry& entry) { return entry.uses == 0; });
}

bool ShapeHistory::SameOrder(const ShapeHistory& other) const {
  return std::equal(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(),
                    [](const Entry& a, const Entry& b) { return a.shapes == b.shapes; });
}

std::string ShapeHistory::ToJson(std::string_view definition) const {
  json shapes = json::array();
  for (const Entry& entry : entries_) {
    json inputs = json::array();
    for (const Shape& shape : entry.shapes) {
      inputs.push_back(std::vector<int64_t>(shape.dims().begin(), shape.dims().end()));
    }
    shapes.push_back({{"uses", entry.uses}, {"inputs", std::move(inputs)}});
  }
  return json{{"definition", definition}, {"shapes", std::move(shapes)}}.dump() + "\n";
}

absl::StatusOr<std::optional<ShapeHistory>> ShapeHistory::FromJson(std::string_view text,
                                                                   std::string_view definition) {
  try {
    const json read = json::parse(text);
    if (read.at("definition").get<std::string>() != definition) {
      return std::optional<ShapeHistory>();
    }
    const json& entries = read.at("shapes");
    if (entries.size() > kMostShapes) {
      return InvalidArgument("wants at most {} shapes, got {}", kMostShapes, entries.size());
    }
    ShapeHistory history;
    for (const json& entry : entries) {
      if (entry.at("inputs").size() > kMostInputs) {
        return InvalidArgument("wants at most {} inputs, got {}", kMostInputs,
                               entry.at("inputs").size());
      }
      std::vector<Shape> shapes;
      for (const json& dims : entry.at("inputs")) {
        const auto values = dims.get<std::vector<int64_t>>();
        RETURN_IF_ERROR(CheckBounds(values));
        shapes.emplace_back(std::span<const int64_t>(values));
      }
      history.Add(std::move(shapes), entry.at("uses").get<uint64_t>());
    }
    return std::optional<ShapeHistory>(std::move(history));
  } catch (const json::exception& error) {
    return InvalidArgument("cannot be read: {}", error.what());
  }
}

}  // namespace lazynet::hosting
