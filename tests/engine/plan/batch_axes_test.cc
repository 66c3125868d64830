#include "engine/plan/batch_axes.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::kNoValue;
using backend::ValueId;

constexpr int64_t kItems = 4;

ValueId AddWeights(Graph& graph, Shape shape) {
  return graph.AddConstant(DType::kFp32, std::move(shape), {.key = "weights", .make = nullptr});
}

// What is found for a graph that `build` makes for so many items. It gives the id of the output.
using Build = std::function<ValueId(Graph& graph, int64_t items)>;
std::optional<std::vector<int>> Find(const Build& build) {
  Graph whole, one;
  whole.outputs = {build(whole, kItems)};
  one.outputs = {build(one, 1)};
  return FindBatchAxes(whole, one, kItems);
}

ValueId Add(Graph& graph, backend::OpKind kind, std::vector<ValueId> inputs, Shape shape) {
  return graph.AddOp(std::move(kind), std::move(inputs), std::move(shape), "layer");
}

TEST(BatchAxes, OfImagesAreTheFirst) {
  const auto axes = Find([](Graph& graph, int64_t n) {
    const ValueId image = graph.AddInput(DType::kFp32, {n, 3, 8, 8});
    const ValueId weights = AddWeights(graph, {5, 3, 1, 1});
    return Add(graph, backend::Convolution{}, {image, weights, kNoValue}, {n, 5, 8, 8});
  });
  EXPECT_EQ(axes, (std::vector<int>{0, kNoItems, 0}));
}

TEST(BatchAxes, FollowHeadsThroughReshapesAndPermutations) {
  // [n, 6, 8] as heads of 2: [n, 6, 4, 2], [n, 4, 6, 2], [4n, 6, 2], products [4n, 6, 6].
  const auto axes = Find([](Graph& graph, int64_t n) {
    const ValueId x = graph.AddInput(DType::kFp32, {n, 6, 8});
    const ValueId split = Add(graph, backend::Reshape{}, {x}, {n, 6, 4, 2});
    const ValueId heads = Add(graph, backend::Permute{{0, 2, 1, 3}}, {split}, {n, 4, 6, 2});
    const ValueId flat = Add(graph, backend::Reshape{}, {heads}, {4 * n, 6, 2});
    const ValueId scores =
        Add(graph, backend::MatMul{.transpose_b = true}, {flat, flat}, {4 * n, 6, 6});
    const ValueId weights = Add(graph, backend::Softmax{.axis = 2}, {scores}, {4 * n, 6, 6});
    return Add(graph, backend::Reshape{}, {weights}, {n, 4, 6, 6});
  });
  ASSERT_TRUE(axes);
  EXPECT_EQ(*axes, std::vector<int>(7, 0));
}

TEST(BatchAxes, MayBeAnyAxisOnTheWay) {
  const auto axes = Find([](Graph& graph, int64_t n) {
    const ValueId x = graph.AddInput(DType::kFp32, {n, 6, 8});
    const ValueId moved = Add(graph, backend::Permute{{1, 2, 0}}, {x}, {6, 8, n});
    const ValueId relu = Add(graph, backend::Eltwise{}, {moved}, {6, 8, n});
    const ValueId sums = Add(graph, backend::Reduction{.axes = {0}}, {relu}, {8, n});
    return Add(graph, backend::Permute{{1, 0}}, {sums}, {n, 8});
  });
  EXPECT_EQ(axes, (std::vector<int>{0, 2, 2, 1, 0}));
}

TEST(BatchAxes, OfStretchedParametersStartWhereTheyAreStretched) {
  // A class token in front of each sequence.
  const auto axes = Find([](Graph& graph, int64_t n) {
    const ValueId x = graph.AddInput(DType::kFp32, {n, 6, 8});
    const ValueId token = AddWeights(graph, {1, 1, 8});
    const ValueId tokens = Add(graph, backend::Expand{}, {token}, {n, 1, 8});
    const ValueId joined = Add(graph, backend::Concat{.axis = 1}, {tokens, x}, {n, 7, 8});
    const ValueId places = AddWeights(graph, {7, 8});
    return Add(graph, backend::Binary{}, {joined, places}, {n, 7, 8});
  });
  EXPECT_EQ(axes, (std::vector<int>{0, kNoItems, 0, 0, kNoItems, 0}));
}

// A graph of an op on [n, 6, 8] whose output may need to come back to axis 0.
struct Case {
  const char* name;
  bool separate;
  Build build;
};

class BatchAxesOf : public ::testing::TestWithParam<Case> {};

TEST_P(BatchAxesOf, Op) { EXPECT_EQ(Find(GetParam().build).has_value(), GetParam().separate); }

ValueId Input(Graph& graph, int64_t n) { return graph.AddInput(DType::kFp32, {n, 6, 8}); }

// The case of an op on one input, from [n, 6, 8] to what `shape` says for n items.
Case OneInput(const char* name, bool separate, backend::OpKind kind,
              const std::function<Shape(int64_t)>& shape) {
  return {name, separate,
          [=](Graph& graph, int64_t n) { return Add(graph, kind, {Input(graph, n)}, shape(n)); }};
}
Shape Same(int64_t n) { return {n, 6, 8}; }

INSTANTIATE_TEST_SUITE_P(
    Each, BatchAxesOf,
    ::testing::Values(
        OneInput("softmax_of_rows", true, backend::Softmax{.axis = 2}, Same),
        OneInput("softmax_of_the_batch", false, backend::Softmax{.axis = 0}, Same),
        OneInput("sum_of_items", true, backend::Reduction{.axes = {1}},
                 [](int64_t n) { return Shape{n, 1, 8}; }),
        OneInput("sum_of_the_batch", false, backend::Reduction{.axes = {0}},
                 [](int64_t) { return Shape{6, 8}; }),
        OneInput("sum_of_the_batch_as_an_axis", false, backend::Reduction{.axes = {0}},
                 [](int64_t) { return Shape{1, 6, 8}; }),
        OneInput("largest_of_the_batch", false, backend::TopK{.axis = 0}, Same),
        OneInput("cumsum_along_the_batch", false, backend::Cumsum{.axis = 0}, Same),
        OneInput("cumsum_of_rows", true, backend::Cumsum{.axis = 1}, Same),
        OneInput("first_item", false, backend::Slice{.begin = {0, 0, 0}},
                 [](int64_t) { return Shape{1, 6, 8}; }),
        OneInput("items_backwards", false,
                 backend::Slice{.begin = {kItems - 1, 0, 0}, .step = {-1, 1, 1}}, Same),
        OneInput("part_of_each", true, backend::Slice{.begin = {0, 2, 0}},
                 [](int64_t n) { return Shape{n, 3, 8}; }),
        OneInput("padded_batch", false,
                 backend::Pad{.mode = backend::Pad::Mode::kCircular,
                              .before = {1, 0, 0},
                              .after = {0, 0, 0}},
                 [](int64_t n) { return Shape{n + 1, 6, 8}; }),
        OneInput("padded_items", true,
                 backend::Pad{.before = {0, 1, 0}, .after = {0, 0, 0}},
                 [](int64_t n) { return Shape{n, 7, 8}; }),
        OneInput("batch_statistics", false,
                 backend::Normalization{.statistics =
                                            backend::Normalization::Statistics::kPerBatch},
                 Same),
        OneInput("item_statistics", true,
                 backend::Normalization{.statistics =
                                            backend::Normalization::Statistics::kPerInstance},
                 Same),
        OneInput("batch_last", false, backend::Permute{{1, 2, 0}},
                 [](int64_t n) { return Shape{6, 8, n}; }),
        OneInput("triangle_of_each", true, backend::Triangle{}, Same),
        // The op set does not tell where in a packed output items lie.
        OneInput("something_packed", false, backend::Recurrent{},
                 [](int64_t n) { return Shape{n * 48}; }),
        Case{"items_in_between", false,
             [](Graph& graph, int64_t n) {
               // Rows of all items, then the next rows: the neighbours are other items.
               const ValueId moved =
                   Add(graph, backend::Permute{{1, 0, 2}}, {Input(graph, n)}, {6, n, 8});
               return Add(graph, backend::Reshape{}, {moved}, {6 * n, 8});
             }},
        Case{"product_of_items", false,
             [](Graph& graph, int64_t n) {
               const ValueId flat =
                   Add(graph, backend::Reshape{}, {Input(graph, n)}, {n, 48});
               return Add(graph, backend::MatMul{.transpose_b = true}, {flat, flat}, {n, n});
             }},
        Case{"product_with_weights", true,
             [](Graph& graph, int64_t n) {
               const ValueId weights = AddWeights(graph, {1, 8, 3});
               return Add(graph, backend::MatMul{}, {Input(graph, n), weights}, {n, 6, 3});
             }},
        Case{"rows_times_weights", true,
             [](Graph& graph, int64_t n) {
               const ValueId rows = Add(graph, backend::Reshape{}, {Input(graph, n)}, {n * 6, 8});
               const ValueId weights = AddWeights(graph, {8, 3});
               return Add(graph, backend::MatMul{}, {rows, weights}, {n * 6, 3});
             }},
        Case{"table_for_each_place_in_the_batch", false,
             [](Graph& graph, int64_t n) {
               const ValueId table = AddWeights(graph, {kItems, 1, 8});
               // For one item the table would be stretched the other way.
               return Add(graph, backend::Binary{}, {Input(graph, n), table}, {kItems, 6, 8});
             }},
        Case{"joined_batches", false,
             [](Graph& graph, int64_t n) {
               const ValueId x = Input(graph, n);
               return Add(graph, backend::Concat{.axis = 0}, {x, x}, {2 * n, 6, 8});
             }},
        Case{"attribute_that_depends_on_the_batch", false,
             [](Graph& graph, int64_t n) {
               const backend::Eltwise mean{.algorithm = backend::Eltwise::Algorithm::kLinear,
                                           .alpha = 1.0 / static_cast<double>(n)};
               return Add(graph, mean, {Input(graph, n)}, Same(n));
             }},
        Case{"constant_that_depends_on_the_batch", false,
             [](Graph& graph, int64_t n) {
               const ValueId count = graph.AddConstant(
                   DType::kFp32, {}, {.key = std::to_string(n), .make = nullptr});
               return Add(graph, backend::Binary{}, {Input(graph, n), count}, Same(n));
             }},
        Case{"input_without_a_batch", false,
             [](Graph& graph, int64_t n) {
               const ValueId mask = graph.AddInput(DType::kFp32, {6, 8});
               return Add(graph, backend::Binary{}, {Input(graph, n), mask}, Same(n));
             }},
        Case{"rows_of_a_table", true,
             [](Graph& graph, int64_t n) {
               const ValueId ids = graph.AddInput(DType::kInt64, {n, 5});
               return Add(graph, backend::Gather{}, {ids, AddWeights(graph, {9, 8})}, {n, 5, 8});
             }},
        Case{"items_as_a_table", false,
             [](Graph& graph, int64_t n) {
               const ValueId ids = graph.AddInput(DType::kInt64, {n});
               const ValueId rows =
                   Add(graph, backend::Reshape{}, {Input(graph, n)}, {n, 48});
               return Add(graph, backend::Gather{}, {ids, rows}, {n, 48});
             }},
        Case{"chosen_by_another_input", true,
             [](Graph& graph, int64_t n) {
               const ValueId index = graph.AddInput(DType::kInt64, {n, 2, 8});
               return Add(graph, backend::GatherAlong{.axis = 1}, {Input(graph, n), index},
                          {n, 2, 8});
             }},
        Case{"chosen_items", false,
             [](Graph& graph, int64_t n) {
               const ValueId index = graph.AddInput(DType::kInt64, {n, 6, 8});
               return Add(graph, backend::GatherAlong{.axis = 0}, {Input(graph, n), index},
                          Same(n));
             }}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace lazynet::plan
