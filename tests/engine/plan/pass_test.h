#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "engine/backend/backend.h"
#include "engine/backend/packed_weights.h"

namespace lazynet::testing {

// A backend that passes ask what it could do; it makes no kernels.
class NoKernels : public backend::Backend {
 public:
  std::string_view name() const override { return "none"; }
  bool Supports(DType) const override { return true; }
  absl::StatusOr<backend::PreparedOp> Prepare(const backend::Graph&, const backend::Op&,
                                              std::span<const backend::LayoutPtr>,
                                              backend::PackedWeights&) const override {
    return Unimplemented("nothing to run");
  }
  absl::StatusOr<backend::PreparedOp> PrepareReorder(const backend::Value&,
                                                     const backend::LayoutPtr&,
                                                     const backend::LayoutPtr&) const override {
    return Unimplemented("nothing to run");
  }
};

// Layers on one input [2, 3], square so that all can be joined.
class PassTest : public ::testing::Test {
 protected:
  PassTest() : input_(graph_.AddInput(DType::kFp32, kShape)) {}

  backend::ValueId Linear(backend::ValueId src, std::string name) {
    const backend::ValueId weights =
        graph_.AddConstant(DType::kFp32, {3, 3}, {.key = name, .make = nullptr});
    return graph_.AddOp(backend::InnerProduct{}, {src, weights, backend::kNoValue}, kShape,
                        std::move(name));
  }
  backend::ValueId Sum(backend::ValueId a, backend::ValueId b) {
    return graph_.AddOp(backend::Binary{}, {a, b}, kShape, "sum");
  }
  backend::ValueId Relu(backend::ValueId src, std::string name = "relu") {
    return graph_.AddOp(backend::Eltwise{}, {src}, kShape, std::move(name));
  }

  static inline const Shape kShape{2, 3};
  backend::Graph graph_;
  backend::ValueId input_;
};

}  // namespace lazynet::testing
