#include "engine/plan/flops.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace lazynet::plan {
namespace {

using Statistics = backend::Normalization::Statistics;

// Of an op with inputs of these shapes; an input without dims is absent.
double FlopsOf(backend::OpKind kind, const std::vector<Shape>& inputs, Shape output) {
  backend::Graph graph;
  std::vector<backend::ValueId> ids;
  for (const Shape& shape : inputs) {
    ids.push_back(shape.rank() == 0 ? backend::kNoValue : graph.AddInput(DType::kFp32, shape));
  }
  graph.AddOp(std::move(kind), std::move(ids), std::move(output), "layer");
  return Flops(graph, graph.ops[0]);
}

TEST(Flops, OfProductsAreTwoForEachMultiplyAdd) {
  EXPECT_EQ(FlopsOf(backend::InnerProduct{}, {{2, 3}, {5, 3}, {5}}, {2, 5}), 2 * 2 * 5 * 3);
  EXPECT_EQ(FlopsOf(backend::InnerProduct{}, {{2, 3}, {5, 3}, {}}, {2, 5}), 2 * 2 * 5 * 3);
}

TEST(Flops, OfConvolutionsCountWeightsForEachOutput) {
  // 2 images, 4 to 6 channels in 2 groups, a kernel of 3 x 3, 5 x 7 outputs.
  const backend::Convolution grouped{.padding_l = {1, 1}, .padding_r = {1, 1}, .groups = 2};
  EXPECT_EQ(FlopsOf(grouped, {{2, 4, 5, 7}, {6, 2, 3, 3}, {6}}, {2, 6, 5, 7}),
            2 * (2 * 6 * 5 * 7) * (2 * 3 * 3));
  EXPECT_EQ(FlopsOf(backend::Convolution{}, {{1, 1, 4}, {1, 1, 2}, {}}, {1, 1, 3}), 2 * 3 * 2);
}

TEST(Flops, OfDeconvolutionsCountWeightsForEachInput) {
  const backend::Deconvolution op{.strides = {2}, .groups = 2};
  EXPECT_EQ(FlopsOf(op, {{3, 4, 5}, {4, 3, 2}, {6}}, {3, 6, 10}), 2 * (3 * 4 * 5) * (3 * 2));
}

TEST(Flops, OfSequencesCountTheProducts) {
  EXPECT_EQ(FlopsOf(backend::MatMul{}, {{2, 3, 4}, {2, 4, 5}}, {2, 3, 5}), 2 * (2 * 3 * 5) * 4);
  EXPECT_EQ(FlopsOf(backend::LayerNormalization{}, {{2, 3}}, {2, 3}), 5 * 6);
  EXPECT_EQ(FlopsOf(backend::LayerNormalization{.rms = true}, {{2, 3}}, {2, 3}), 4 * 6);
  // 7 steps of 2 items: gates [8, 3] and [8, 2].
  EXPECT_EQ(FlopsOf(backend::Recurrent{}, {{7, 2, 3}, {8, 3}, {8, 2}, {8}, {8}, {}, {}, {}},
                    {7 * 2 * 2 + 2 * 2}),
            2 * (7 * 2) * (8 * 3 + 8 * 2));
}

TEST(Flops, OfPoolsAreOneForEachElementOfAWindow) {
  const backend::Pooling pooling{.kernel = {2, 3}};
  EXPECT_EQ(FlopsOf(pooling, {{1, 2, 4, 6}}, {1, 2, 2, 2}), (1 * 2 * 2 * 2) * (2 * 3));
  // Bins of 5 into 2: [0, 3) and [2, 5); of 4 into 2: [0, 2) and [2, 4).
  EXPECT_EQ(FlopsOf(backend::AdaptiveAveragePooling{}, {{3, 2, 5, 4}}, {3, 2, 2, 2}),
            (3 * 2) * (3 + 3) * (2 + 2));
}

TEST(Flops, OfNormalizationsDependOnWhereStatisticsComeFrom) {
  const std::vector<Shape> inputs = {{2, 3, 4}, {3}, {3}, {3}, {3}};
  EXPECT_EQ(FlopsOf(backend::Normalization{}, inputs, {2, 3, 4}), 2 * 24);
  for (const Statistics statistics : {Statistics::kPerInstance, Statistics::kPerBatch}) {
    EXPECT_EQ(FlopsOf(backend::Normalization{.statistics = statistics}, inputs, {2, 3, 4}), 5 * 24);
  }
}

TEST(Flops, OfElementsAreOneForEach) {
  EXPECT_EQ(FlopsOf(backend::Softmax{}, {{2, 3}}, {2, 3}), 3 * 6);
  EXPECT_EQ(FlopsOf(backend::Eltwise{.algorithm = backend::Eltwise::Algorithm::kGeluErf}, {{2, 3}},
                    {2, 3}),
            6);
  EXPECT_EQ(FlopsOf(backend::Prelu{}, {{2, 3}, {3}}, {2, 3}), 6);
  EXPECT_EQ(FlopsOf(backend::Binary{}, {{2, 1}, {1, 3}}, {2, 3}), 6);
}

TEST(Flops, OfWhatOnlyMovesAreNone) {
  EXPECT_EQ(FlopsOf(backend::Concat{}, {{2, 3}, {2, 3}}, {4, 3}), 0);
  EXPECT_EQ(FlopsOf(backend::Pad{.before = {0, 1}, .after = {0, 1}}, {{2, 3}}, {2, 5}), 0);
  EXPECT_EQ(FlopsOf(backend::Reshape{}, {{2, 3}}, {6}), 0);
}

TEST(Flops, OfEmptyTensorsAreNone) {
  EXPECT_EQ(FlopsOf(backend::InnerProduct{}, {{0, 3}, {5, 3}, {5}}, {0, 5}), 0);
}

TEST(Flops, AddUpByLayer) {
  backend::Graph graph;
  const auto input = graph.AddInput(DType::kFp32, {2, 3});
  const auto flat = graph.AddOp(backend::Reshape{}, {input}, {6}, "a");
  const auto twice = graph.AddOp(backend::Binary{}, {flat, flat}, {6}, "a");
  const auto relu = graph.AddOp(backend::Eltwise{}, {twice}, {6}, "b");
  graph.AddOp(backend::Eltwise{}, {relu}, {6}, "a");
  EXPECT_EQ(FlopsByLayer(graph), (std::map<std::string, double>{{"a", 12}, {"b", 6}}));
}

}  // namespace
}  // namespace lazynet::plan
