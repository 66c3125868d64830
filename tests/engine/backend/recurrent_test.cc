#include <cmath>
#include <limits>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

OpInput One(float value) { return Constant(Values({1, 1}, {value})); }

// h' = relu(x + 2 h + bias).
std::vector<OpInput> Rnn(std::vector<float> src, OpInput bias = Absent(),
                         OpInput initial = Absent()) {
  const Shape shape = {static_cast<int64_t>(src.size()), 1, 1};
  return {Source(Values(shape, src)), One(1),  One(2), std::move(bias), Absent(), Absent(),
          std::move(initial),         Absent()};
}

constexpr Recurrent kRelu = {Recurrent::Cell::kRnnRelu, false};
constexpr Recurrent kReluReverse = {Recurrent::Cell::kRnnRelu, true};

TEST_P(OpTest, RecurrentGoesFromStepToStep) {
  Expect(kRelu, Rnn({1, 1, -10, 3}), {4}, {1, 3, 0, 3});
}

TEST_P(OpTest, RecurrentInReverseKeepsTheOrderOfItsInput) {
  Expect(kReluReverse, Rnn({3, -10, 1, 1}), {4}, {3, 0, 3, 1});
}

TEST_P(OpTest, RecurrentTakesABiasAndAnInitialState) {
  Expect(kRelu, Rnn({1, 1}, Constant(Values({1}, {10})), Source(Values({1, 1}, {5}))), {2},
         {21, 53});
}

TEST_P(OpTest, RecurrentTakesWeightsFromTheRequest) {
  std::vector<OpInput> inputs = Rnn({1, 1});
  for (OpInput& input : inputs) input.constant = false;
  Expect(kRelu, inputs, {2}, {1, 3});
}

TEST_P(OpTest, RecurrentKeepsItemsApart) {
  Expect(kRelu,
         {Source(Values({2, 2, 1}, {1, kNan, 1, 1})), One(1), One(2), Absent(), Absent(), Absent(),
          Absent(), Absent()},
         {4}, {1, kNan, 3, kNan});
}

// Sizes for which libraries block and pack their weights.
TEST_P(OpTest, RecurrentOfManyUnitsAgreesWithTheReference) {
  using enum Recurrent::Cell;
  for (const Recurrent::Cell cell : {kRnnTanh, kRnnRelu, kLstm, kGru}) {
    for (const int64_t projection : {0, 40}) {
      if (projection > 0 && cell != kLstm) continue;
      const int64_t hidden = 64;
      const int64_t gates = hidden * (cell == kLstm ? 4 : cell == kGru ? 3 : 1);
      const int64_t outputs = projection > 0 ? projection : hidden;
      const int64_t batch = 8;
      const std::vector<OpInput> inputs = {
          Source(testing::Noise({5, batch, 32}, 1)),
          Constant(testing::Noise({gates, 32}, 2)),
          Constant(testing::Noise({gates, outputs}, 3)),
          Constant(testing::Noise({gates}, 4)),
          Constant(testing::Noise({gates}, 5)),
          projection > 0 ? Constant(testing::Noise({projection, hidden}, 6)) : Absent(),
          Source(testing::Noise({batch, outputs}, 7)),
          cell == kLstm ? Source(testing::Noise({batch, hidden}, 8)) : Absent()};
      const Shape dst = {5 * batch * outputs + (cell == kLstm ? batch * hidden : 0)};
      for (const bool reverse : {false, true}) {
        SCOPED_TRACE(static_cast<int>(cell));
        const Recurrent op = {cell, reverse};
        const auto want = testing::RunOp(*MakeReferenceBackend(), op, inputs, dst);
        const auto got = testing::RunOp(backend(), op, inputs, dst);
        ASSERT_TRUE(want.ok() && got.ok()) << want.status() << got.status();
        for (int64_t i = 0; i < dst.dim(0); ++i) {
          const float value = want->dst.values<float>()[static_cast<size_t>(i)];
          // Five steps let roundings grow that the states feed back.
          ASSERT_NEAR(got->dst.values<float>()[static_cast<size_t>(i)], value,
                      1e-4 * (1 + std::abs(value)))
              << got->implementation << " element " << i;
        }
      }
    }
  }
}

// With weights of zero, c' = sigmoid(0) c + sigmoid(0) tanh(0) = c / 2.
TEST_P(OpTest, LstmPutsItsLastCellStateBehindTheOutput) {
  const OpInput zeros = Constant(Values({4, 1}, {0, 0, 0, 0}));
  Expect(Recurrent{},
         {Source(Values({2, 1, 1}, {1, 1})), zeros, zeros, Absent(), Absent(), Absent(), Absent(),
          One(4)},
         {3}, {std::tanh(2.0) / 2, std::tanh(1.0) / 2, 1});
}

TEST_P(OpTest, LstmProjectsItsHiddenState) {
  const OpInput zeros = Constant(Values({8, 1}, std::vector<float>(8, 0)));
  Expect(Recurrent{},
         {Source(Values({1, 1, 1}, {1})), zeros, zeros, Absent(), Absent(),
          Constant(Values({1, 2}, {2, 4})), Absent(), Constant(Values({1, 2}, {4, 2}))},
         {3}, {std::tanh(2.0) + 2 * std::tanh(1.0), 2, 1});
}

// sigmoid(r) = 1/2 halves the hidden bias; z = 0 halves the rest.
TEST_P(OpTest, GruHasTheHiddenBiasInsideTheResetGate) {
  const OpInput zeros = Constant(Values({3, 1}, {0, 0, 0}));
  Expect(Recurrent{Recurrent::Cell::kGru, false},
         {Source(Values({1, 1, 1}, {1})), zeros, zeros, Constant(Values({3}, {0, 0, 1})),
          Constant(Values({3}, {0, 0, 4})), Absent(), One(6), Absent()},
         {1}, {std::tanh(3.0) / 2 + 3});
}

}  // namespace
}  // namespace lazynet::backend
