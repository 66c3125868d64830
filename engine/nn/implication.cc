#include <algorithm>
#include <optional>
#include <utility>

#include "engine/nn/network.h"

namespace lazynet::nn {
namespace {

// Rank combinations that are tried; networks with more unconstrained inputs imply nothing.
constexpr size_t kMaxTrials = 4096;

// Passes over a network with shared layers, each of which may tell more; a bound on what a hostile
// definition costs.
constexpr int kMaxPasses = 16;

// Every way to give each input a shape: its constraint, or every rank with all dims open.
std::vector<std::vector<Shape>> PossibleInputs(const std::vector<NetworkInput>& inputs) {
  std::vector<std::vector<Shape>> all{{}};
  for (const NetworkInput& input : inputs) {
    std::vector<Shape> own;
    if (input.constraint) {
      own.push_back(*input.constraint);
    } else {
      for (int rank = 0; rank <= kMaxRank; ++rank) {
        own.emplace_back(Shape::Dims(static_cast<size_t>(rank), kUnknownDim));
      }
    }
    if (all.size() * own.size() > kMaxTrials) return {};
    std::vector<std::vector<Shape>> longer;
    for (const auto& shapes : all) {
      for (const Shape& shape : own) {
        longer.push_back(shapes);
        longer.back().push_back(shape);
      }
    }
    all = std::move(longer);
  }
  return all;
}

// Keeps in `sizes` what `other` says as well.
void KeepCommon(const std::vector<Sizes>& other, std::vector<Sizes>& sizes) {
  for (size_t node = 0; node < sizes.size(); ++node) {
    for (size_t i = 0; i < sizes[node].size(); ++i) {
      if (sizes[node][i] != other[node][i]) sizes[node][i] = kUnknownDim;
    }
  }
}

}  // namespace

// A layer that is used again may tell, at its last use, a size that matters at its first.
absl::StatusOr<std::vector<Sizes>> Network::Imply(const std::vector<Sizes>& known) const {
  const bool shares =
      std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.again; });
  ASSIGN_OR_RETURN(std::vector<Sizes> sizes, ImplyForward(known));
  for (int pass = 1; shares && pass < kMaxPasses; ++pass) {
    ASSIGN_OR_RETURN(std::vector<Sizes> next, ImplyForward(sizes));
    if (next == sizes) break;
    sizes = std::move(next);
  }
  return sizes;
}

absl::StatusOr<std::vector<Sizes>> Network::ImplyForward(const std::vector<Sizes>& known) const {
  const auto possible = PossibleInputs(inputs_);
  if (possible.empty()) return known;
  std::optional<std::vector<Sizes>> common;
  absl::Status furthest;
  std::optional<size_t> furthest_reached;
  for (const std::vector<Shape>& shapes : possible) {
    Faults faults;
    Inference inference = Propagate(shapes, known, faults);
    if (!faults.errors.empty()) {
      if (!furthest_reached || faults.reached > *furthest_reached) {
        furthest = faults.errors.front();
        furthest_reached = faults.reached;
      }
    } else if (!common) {
      common = std::move(inference.sizes);
    } else {
      KeepCommon(inference.sizes, *common);
    }
  }
  if (!common) return furthest;
  return *std::move(common);
}

}  // namespace lazynet::nn
