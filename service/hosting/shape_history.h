#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/shape.h"
#include "engine/core/status.h"

namespace lazynet::hosting {

// Which input shapes the requests of a network had, and how often: those used most.
class ShapeHistory {
 public:
  static constexpr size_t kMostShapes = 64;

  struct Entry {
    std::vector<Shape> shapes;  // one for each input
    uint64_t uses = 0;
    bool operator==(const Entry&) const = default;
  };

  // Uses of 0 add nothing. Beyond kMostShapes the least used goes.
  void Add(std::vector<Shape> shapes, uint64_t uses);

  // Halves the uses, so that what is used no more goes in time; those of 0 go.
  void Age();

  // Most used first.
  std::span<const Entry> entries() const { return entries_; }

  // Whether both have the same shapes in the same order.
  bool SameOrder(const ShapeHistory& other) const;

  // A file's text; `definition` is the fingerprint of the one that they are for. Nothing when that
  // is another; INVALID_ARGUMENT for text that is no history.
  std::string ToJson(std::string_view definition) const;
  static absl::StatusOr<std::optional<ShapeHistory>> FromJson(std::string_view text,
                                                              std::string_view definition);

 private:
  std::vector<Entry> entries_;
};

}  // namespace lazynet::hosting
