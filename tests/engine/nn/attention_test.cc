#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/nn/network.h"
#include "tests/support/definitions.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;

struct Port {
  Shape shape;
  DType dtype = DType::kFp32;
};

// The output shapes of a layer on its inputs, or the error without the layer's name.
std::string ResultOf(const std::string& type, const Attributes& attributes,
                     const std::vector<Port>& ports) {
  std::vector<InputDefinition> inputs;
  std::vector<std::string> names;
  std::vector<Shape> shapes;
  for (const Port& port : ports) {
    names.push_back(fmt::format("in{}", names.size()));
    inputs.push_back({.name = names.back(), .dtype = port.dtype});
    shapes.push_back(port.shape);
  }
  NetworkDefinition definition = DefinitionOf({LayerOf("x", type, attributes, names)});
  definition.inputs = inputs;
  const auto without_name = [&](const absl::Status& status) {
    const std::string text(Message(status));
    const std::string prefix = fmt::format("layer \"x\" ({}): ", type);
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  };
  const auto network = Network::Create(std::move(definition));
  if (!network.ok()) return without_name(network.status());
  const auto inference = (*network)->Infer(shapes, (*network)->DeclaredSizes());
  if (!inference.ok()) return without_name(inference.status());
  std::string text;
  for (const Shape& shape : inference->shapes[0]) text += shape.ToString();
  return text;
}

constexpr DType kBool = DType::kBool;

TEST(Attention, MasksAreAnnounced) {
  const Attributes plain{Arg("num_heads", 2)};
  const Attributes padding{Arg("num_heads", 2), Arg("key_padding_mask", true)};
  const Attributes both{Arg("num_heads", 2), Arg("key_padding_mask", true), Arg("attn_mask", true)};
  const Port value{{5, 3, 6}};
  EXPECT_EQ(ResultOf("MultiheadAttention", plain, {value}), "[5, 3, 6][3, 5, 5]");
  EXPECT_EQ(ResultOf("MultiheadAttention", padding, {value, {{3, 5}, kBool}}),
            "[5, 3, 6][3, 5, 5]");
  EXPECT_EQ(ResultOf("MultiheadAttention", both, {value, {{3, 5}, kBool}, {{6, 5, 5}}}),
            "[5, 3, 6][3, 5, 5]");
  EXPECT_EQ(ResultOf("MultiheadAttention", padding, {value}), "wants 2 to 4 inputs, got 1");
  EXPECT_EQ(ResultOf("MultiheadAttention", padding, {value, value, {{3, 5}, kBool}}),
            "wants 1 or 3 inputs before the masks, got 2");
  EXPECT_EQ(ResultOf("MultiheadAttention", padding, {value, {{5, 3}, kBool}}),
            "wants a key_padding_mask of shape [3, 5], got [5, 3]");
  EXPECT_EQ(ResultOf("MultiheadAttention", padding, {value, {{3, 5}, DType::kInt64}}),
            "wants a key_padding_mask of dtype BOOL or FP32, got INT64");
  EXPECT_EQ(ResultOf("MultiheadAttention", both, {value, {{3, 5}, kBool}, {{5, 4}}}),
            "wants an attn_mask of shape [5, 5], got [5, 4]");
  EXPECT_EQ(ResultOf("MultiheadAttention", both, {value, {{3, 5}, kBool}, {{3, 5, 5}}}),
            "wants an attn_mask of shape [6, 5, 5], got [3, 5, 5]");
}

TEST(Attention, WantsKeys) {
  EXPECT_EQ(ResultOf("MultiheadAttention", {Arg("num_heads", 2)},
                     {{{5, 3, 6}}, {{0, 3, 6}}, {{0, 3, 6}}}),
            "wants at least 1 key, got shape [0, 3, 6]");
  EXPECT_EQ(ResultOf("ScaledDotProductAttention", {}, {{{5, 6}}, {{0, 6}}, {{0, 6}}}),
            "wants at least 1 key, got shape [0, 6]");
}

TEST(Attention, KeysOfItsOwnShowInTheWeights) {
  const Attributes appended{Arg("num_heads", 2), Arg("add_bias_kv", true),
                            Arg("add_zero_attn", true), Arg("average_attn_weights", false),
                            Arg("batch_first", true)};
  EXPECT_EQ(ResultOf("MultiheadAttention", appended, {{{3, 5, 6}}, {{3, 4, 6}}, {{3, 4, 6}}}),
            "[3, 5, 6][3, 2, 5, 6]");
  EXPECT_EQ(ResultOf("MultiheadAttention", appended, {{{5, 6}}, {{4, 6}}, {{4, 6}}}),
            "[5, 6][2, 5, 6]");
}

TEST(Attention, DecoderLayersAttendToAMemory) {
  const Attributes plain{Arg("nhead", 2)};
  const Attributes masked{Arg("nhead", 2), Arg("memory_mask", true),
                          Arg("memory_key_padding_mask", true)};
  EXPECT_EQ(ResultOf("TransformerDecoderLayer", plain, {{{5, 3, 6}}, {{4, 3, 6}}}), "[5, 3, 6]");
  EXPECT_EQ(ResultOf("TransformerDecoderLayer", plain, {{{5, 3, 6}}}), "wants 2 inputs, got 1");
  EXPECT_EQ(ResultOf("TransformerDecoderLayer", plain, {{{5, 3, 6}}, {{4, 2, 6}}}),
            "wants a memory of batch 3, got shape [4, 2, 6]");
  EXPECT_EQ(ResultOf("TransformerDecoderLayer", plain, {{{5, 3, 6}}, {{4, 3, 8}}}),
            "wants d_model 6, got 8");
  EXPECT_EQ(ResultOf("TransformerDecoderLayer", plain, {{{5, 3, 6}}, {{4, 6}}}),
            "wants a memory of rank 3, got shape [4, 6]");
  EXPECT_EQ(ResultOf("TransformerDecoderLayer", masked,
                     {{{5, 3, 6}}, {{4, 3, 6}}, {{5, 4}, kBool}, {{3, 4}, kBool}}),
            "[5, 3, 6]");
  EXPECT_EQ(ResultOf("TransformerDecoderLayer", masked,
                     {{{5, 3, 6}}, {{4, 3, 6}}, {{5, 5}, kBool}, {{3, 4}, kBool}}),
            "wants a memory_mask of shape [5, 4], got [5, 5]");
}

TEST(Attention, DotProductsStretchTheirBatch) {
  const std::string type = "ScaledDotProductAttention";
  EXPECT_EQ(ResultOf(type, {}, {{{2, 3, 5, 4}}, {{3, 6, 4}}, {{1, 1, 6, 7}}}), "[2, 3, 5, 7]");
  EXPECT_EQ(ResultOf(type, {}, {{{5, 4}}, {{6, 3}}, {{6, 7}}}),
            "wants query and key of one width, and key and value of one length, got [5, 4], [6, 3] "
            "and [6, 7]");
  EXPECT_EQ(ResultOf(type, {}, {{{5, 4}}, {{6, 4}}, {{6, 7}}, {{5, 5}, kBool}}),
            "wants an attn_mask that stretches to [5, 6], got [5, 5]");
  EXPECT_EQ(ResultOf(type, {Arg("is_causal", true)}, {{{5, 4}}, {{6, 4}}, {{6, 7}}, {{5, 6}}}),
            "wants 3 inputs, got 4");
  EXPECT_EQ(ResultOf(type, {Arg("enable_gqa", true)}, {{{6, 5, 4}}, {{4, 6, 4}}, {{4, 6, 7}}}),
            "wants heads of the query that are a multiple of 4, got 6");
  EXPECT_EQ(ResultOf(type, {}, {{{4}}, {{6, 4}}, {{6, 7}}}),
            "wants a rank of at least 2, got shape [4]");
}

TEST(EmbeddingBag, TakesOffsetsWithFlatIdsOnly) {
  const Attributes mean{Arg("num_embeddings", 9), Arg("embedding_dim", 4)};
  const Attributes sum{Arg("num_embeddings", 9), Arg("embedding_dim", 4), Arg("mode", "sum")};
  const Port ids{{6}, DType::kInt64};
  EXPECT_EQ(ResultOf("EmbeddingBag", mean, {{{3, 2}, DType::kInt32}}), "[3, 4]");
  EXPECT_EQ(ResultOf("EmbeddingBag", mean, {ids, {{5}, DType::kInt64}}), "[5, 4]");
  EXPECT_EQ(ResultOf("EmbeddingBag", sum, {ids, {{5}, DType::kInt64}, {{6}}}), "[5, 4]");
  EXPECT_EQ(ResultOf("EmbeddingBag", sum, {{{3, 2}, DType::kInt64}, {{3, 2}}}), "[3, 4]");
  EXPECT_EQ(ResultOf("EmbeddingBag", mean, {ids}),
            "wants offsets with ids of rank 1 only, got shape [6] and 1 inputs");
  EXPECT_EQ(ResultOf("EmbeddingBag", mean, {ids, {{5}, DType::kInt32}}),
            "wants offsets of dtype INT64, got INT32");
  EXPECT_EQ(ResultOf("EmbeddingBag", mean, {{{3, 2}, DType::kInt64}, {{3, 2}}}),
            "wants per_sample_weights with mode sum only, got mean");
  EXPECT_EQ(ResultOf("EmbeddingBag", sum, {{{3, 2}, DType::kInt64}, {{3, 3}}}),
            "wants per_sample_weights of shape [3, 2], got [3, 3]");
  EXPECT_EQ(ResultOf("EmbeddingBag", mean, {{{3, 2}}}),
            "wants ids of dtype INT32 or INT64, got FP32");
}

TEST(RecurrentCell, StatesAreLikeTheOutput) {
  const Attributes three{Arg("hidden_size", 3)};
  EXPECT_EQ(ResultOf("LSTMCell", three, {{{2, 5}}}), "[2, 3][2, 3]");
  EXPECT_EQ(ResultOf("GRUCell", three, {{{5}}, {{3}}}), "[3]");
  EXPECT_EQ(ResultOf("GRUCell", three, {{{2, 5}}, {{3}}}),
            "wants a state of shape [2, 3], got [3]");
  EXPECT_EQ(ResultOf("LSTMCell", three, {{{2, 5}}, {{2, 3}}}), "wants both states or none, got 1");
  EXPECT_EQ(ResultOf("RNNCell", three, {{{1, 2, 5}}}),
            "wants a rank of 1 (unbatched) or 2, got shape [1, 2, 5]");
}

}  // namespace
}  // namespace lazynet::nn
