#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include "engine/backend/packed_weights.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/threads.h"
#include "tests/engine/backend/onednn/harness.h"

namespace lazynet::testing {
namespace {

using backend::Graph;
using backend::PackedWeights;
using backend::PreparedOp;
using backend::Recurrent;
using enum backend::Recurrent::Cell;

struct Layer {
  Recurrent op;
  int64_t steps = 1;
  int64_t batch = 1;
  int64_t inputs = 1;
  int64_t hidden = 1;
  int64_t projection = 0;

  int64_t gates() const { return op.cell == kLstm ? 4 : op.cell == kGru ? 3 : 1; }
  int64_t output() const { return projection > 0 ? projection : hidden; }
  Shape dst() const { return {steps * batch * output() + (op.cell == kLstm ? batch * hidden : 0)}; }
};

std::string TraceOf(const Layer& layer) {
  return fmt::format("cell {} reverse {} T {} N {} I {} H {} P {}", static_cast<int>(layer.op.cell),
                     layer.op.reverse, layer.steps, layer.batch, layer.inputs, layer.hidden,
                     layer.projection);
}

Tensor Small(Shape shape, uint32_t seed, int64_t terms) {
  Tensor tensor = Noise(std::move(shape), seed);
  for (float& x : tensor.mutable_view().values<float>()) {
    x *= 2 / std::sqrt(static_cast<float>(terms));
  }
  return tensor;
}

std::vector<OpInput> InputsOf(const Layer& layer) {
  const int64_t rows = layer.gates() * layer.hidden;
  return {Source(Noise({layer.steps, layer.batch, layer.inputs}, 1)),
          Constant(Small({rows, layer.inputs}, 2, layer.inputs)),
          Constant(Small({rows, layer.output()}, 3, layer.output())),
          Constant(Noise({rows}, 4)),
          Constant(Noise({rows}, 5)),
          layer.projection > 0 ? Constant(Small({layer.projection, layer.hidden}, 6, layer.hidden))
                               : Absent(),
          Source(Noise({layer.batch, layer.output()}, 7)),
          layer.op.cell == kLstm ? Source(Noise({layer.batch, layer.hidden}, 8)) : Absent()};
}

void ExpectTheReferencesResult(const Layer& layer, const std::vector<OpInput>& inputs) {
  SCOPED_TRACE(TraceOf(layer));
  const auto want = RunOp(*backend::MakeReferenceBackend(), layer.op, inputs, layer.dst());
  ASSERT_TRUE(want.ok()) << want.status();
  const auto values = want->dst.values<float>();
  // Roundings that the states feed back from step to step.
  ExpectInAllLayouts(layer.op, inputs, layer.dst(), {values.begin(), values.end()}, 2e-5, 2e-5);
}

// Units that fill a block, that leave a part of one, that are less than a vector; batches of every
// height of a tile and beyond; sequences longer than what is computed at once.
TEST(OnednnRecurrent, AgreesWithTheReferenceForEverySize) {
  for (const auto cell : {kRnnTanh, kRnnRelu, kLstm, kGru}) {
    for (const bool reverse : {false, true}) {
      for (const int64_t batch : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 70}) {
        const Layer layer{{cell, reverse}, 3, batch, 7, 37};
        ExpectTheReferencesResult(layer, InputsOf(layer));
      }
      for (const int64_t hidden : {1, 3, 4, 8, 15, 16, 17, 32, 33, 64, 65, 130}) {
        const Layer layer{{cell, reverse}, 2, 2, 5, hidden};
        ExpectTheReferencesResult(layer, InputsOf(layer));
      }
      for (const int64_t batch : {1, 9, 40}) {
        const Layer layer{{cell, reverse}, 133, batch, 3, 5};
        ExpectTheReferencesResult(layer, InputsOf(layer));
      }
    }
  }
}

TEST(OnednnRecurrent, AgreesWithTheReferenceWithAProjection) {
  for (const bool reverse : {false, true}) {
    for (const int64_t projection : {1, 7, 16, 33, 64, 70}) {
      for (const int64_t batch : {1, 3, 9}) {
        const Layer layer{{kLstm, reverse}, 4, batch, 6, 80, projection};
        ExpectTheReferencesResult(layer, InputsOf(layer));
      }
    }
  }
}

TEST(OnednnRecurrent, TakesBiasesAndStatesThatAreAbsentOrConstant) {
  for (const auto cell : {kRnnTanh, kLstm, kGru}) {
    const Layer layer{{cell, false}, 3, 2, 5, 20};
    for (const bool with_layer : {false, true}) {
      for (const bool with_iter : {false, true}) {
        for (const bool with_states : {false, true}) {
          std::vector<OpInput> inputs = InputsOf(layer);
          if (!with_layer) inputs[3] = Absent();
          if (!with_iter) inputs[4] = Absent();
          for (const size_t state : {6, 7}) {
            inputs[state].constant = true;
            if (!with_states) inputs[state] = Absent();
          }
          ExpectTheReferencesResult(layer, inputs);
        }
      }
    }
  }
}

TEST(OnednnRecurrent, SeveralThreadsTakeItemsOfTheirOwn) {
  for (const auto cell : {kRnnTanh, kLstm, kGru}) {
    for (const int64_t batch : {1, 2, 3, 7, 70}) {
      const Layer layer{{cell, true}, 5, batch, 6, 20, cell == kLstm ? 9 : 0};
      // It compares what one and three threads make.
      const auto result = RunArrived(layer.op, InputsOf(layer), layer.dst(), Arrival::kDense);
      ASSERT_TRUE(result.ok()) << TraceOf(layer) << result.status();
    }
  }
}

// To the bit, and however many there are: a batch is no other computation.
TEST(OnednnRecurrent, ItemsDoNotDependOnEachOther) {
  for (const auto cell : {kRnnTanh, kLstm, kGru}) {
    const Layer layer{{cell, false}, 70, 9, 12, 40};
    const std::vector<OpInput> inputs = InputsOf(layer);
    const auto whole = RunArrived(layer.op, inputs, layer.dst(), Arrival::kDense);
    ASSERT_TRUE(whole.ok()) << whole.status();
    for (const int64_t item : {0, 4, 8}) {
      Layer one = layer;
      one.batch = 1;
      std::vector<OpInput> alone = inputs;
      const auto take = [&](size_t input, int64_t rows, int64_t size) {
        if (!alone[input].tensor.has_value()) return;
        std::vector<float> values;
        const auto all = inputs[input].tensor->values<float>();
        for (int64_t row = 0; row < rows; ++row) {
          const auto* first = all.data() + (row * layer.batch + item) * size;
          values.insert(values.end(), first, first + size);
        }
        const Shape shape = rows == 1 ? Shape{1, size} : Shape{rows, 1, size};
        alone[input] = Source(Values(shape, values));
      };
      take(0, layer.steps, layer.inputs);
      take(6, 1, layer.hidden);
      take(7, 1, layer.hidden);
      const auto got = RunArrived(one.op, alone, one.dst(), Arrival::kDense);
      ASSERT_TRUE(got.ok()) << got.status();
      for (int64_t step = 0; step < layer.steps; ++step) {
        ASSERT_EQ(std::memcmp(got->dst.values<float>().data() + step * layer.hidden,
                              whole->dst.values<float>().data() +
                                  (step * layer.batch + item) * layer.hidden,
                              static_cast<size_t>(layer.hidden) * sizeof(float)),
                  0)
            << TraceOf(layer) << " item " << item << " step " << step;
      }
    }
  }
}

TEST(OnednnRecurrent, KeepsNanAndInfinityInTheirItem) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const auto cell : {kRnnTanh, kRnnRelu, kLstm, kGru}) {
    const Layer layer{{cell, false}, 4, 5, 6, 21};
    std::vector<OpInput> inputs = InputsOf(layer);
    const auto values = inputs[0].tensor->mutable_view().values<float>();
    values[static_cast<size_t>(layer.batch * layer.inputs + 2)] = NAN;  // step 1, item 0
    values[static_cast<size_t>((2 * layer.batch + 3) * layer.inputs)] = inf;
    ExpectTheReferencesResult(layer, inputs);
  }
}

// A layer on a request's src, prepared with weights of the same keys each time.
absl::StatusOr<PreparedOp> Prepare(const Layer& layer, PackedWeights& packed) {
  Graph graph;
  const std::vector<OpInput> inputs = InputsOf(layer);
  std::vector<backend::ValueId> ids;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].tensor.has_value()) {
      ids.push_back(backend::kNoValue);
    } else if (!inputs[i].constant) {
      ids.push_back(graph.AddInput(DType::kFp32, inputs[i].tensor->shape()));
    } else {
      ids.push_back(graph.AddConstant(DType::kFp32, inputs[i].tensor->shape(),
                                      {fmt::format("w{}", i), [tensor = *inputs[i].tensor] {
                                         return absl::StatusOr<Tensor>(tensor);
                                       }}));
    }
  }
  graph.AddOp(layer.op, ids, layer.dst(), "rnn");
  const std::vector<backend::LayoutPtr> dense(ids.size());
  return Onednn().Prepare(graph, graph.ops.back(), dense, packed);
}

TEST(OnednnRecurrent, ShapesShareTheirPackedWeights) {
  PackedWeights packed;
  const auto one = Prepare({{kLstm, false}, 3, 1, 5, 20}, packed);
  ASSERT_TRUE(one.ok()) << one.status();
  const size_t bytes = packed.bytes();
  EXPECT_GT(bytes, 0u);
  const auto longer = Prepare({{kLstm, false}, 7, 8, 5, 20}, packed);
  const auto reverse = Prepare({{kLstm, true}, 1, 2, 5, 20}, packed);
  ASSERT_TRUE(longer.ok() && reverse.ok()) << longer.status() << reverse.status();
  EXPECT_EQ(packed.bytes(), bytes);
}

TEST(OnednnRecurrent, ManyThreadsMayRunOneKernelAtOnce) {
  const Layer layer{{kGru, false}, 20, 3, 8, 33};
  PackedWeights packed;
  const auto prepared = Prepare(layer, packed);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  const std::vector<OpInput> inputs = InputsOf(layer);
  const auto want = RunOp(Onednn(), layer.op, inputs, layer.dst());
  ASSERT_TRUE(want.ok()) << want.status();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      auto dst = *Buffer::Allocate(want->dst.bytes());
      auto scratch = *Buffer::Allocate(prepared->scratch_bytes);
      std::vector<const std::byte*> srcs(8);
      srcs[0] = inputs[0].tensor->data();
      srcs[6] = inputs[6].tensor->data();
      for (int run = 0; run < 50; ++run) {
        std::memset(scratch.data(), 0xff, scratch.size());
        if (!prepared->kernel->Run({srcs, dst.data(), scratch.data()}).ok()) ++wrong;
        if (std::memcmp(dst.data(), want->dst.data(), dst.size()) != 0) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(OnednnRecurrent, WeightsComputedByTheNetworkAreLeftToTheFallback) {
  const Layer layer{{kLstm, false}, 2, 1, 3, 4};
  std::vector<OpInput> inputs = InputsOf(layer);
  inputs[2].constant = false;
  EXPECT_EQ(RunArrived(layer.op, inputs, layer.dst(), Arrival::kDense).status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace lazynet::testing
