#include "engine/nn/layers/multihead_attention.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/fitting.h"
#include "engine/nn/layers/attention.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;

class MultiheadAttention : public Layer {
 public:
  explicit MultiheadAttention(AttributeReader& reader)
      : num_heads_(reader.RequiredInt("num_heads", 1)),
        bias_(reader.Bool("bias", true)),
        add_bias_kv_(reader.Bool("add_bias_kv", false)),
        add_zero_attn_(reader.Bool("add_zero_attn", false)),
        batch_first_(reader.Bool("batch_first", false)),
        key_padding_mask_(reader.Bool("key_padding_mask", false)),
        attn_mask_(reader.Bool("attn_mask", false)),
        average_(reader.Bool("average_attn_weights", true)) {
    const double dropout = reader.Double("dropout", 0);
    reader.Require(dropout >= 0 && dropout <= 1,
                   fmt::format("argument dropout wants 0 to 1, got {}", dropout));
    const std::optional<int64_t> embed_dim = reader.Size("embed_dim");
    reader.Require(!embed_dim || *embed_dim % num_heads_ == 0,
                   fmt::format("embed_dim {} wants to be divisible by num_heads {}",
                               embed_dim.value_or(0), num_heads_));
    embed_ = AddSize("embed_dim", embed_dim);
    key_ = AddFeatures(reader, "kdim", embed_dim);
    value_ = AddFeatures(reader, "vdim", embed_dim);
    packed_ = key_ == embed_ && value_ == embed_;
    AddParameters();
  }

  Arity arity() const override { return {.least = 1 + masks(), .most = 3 + masks()}; }

  std::vector<std::string> output_names() const override {
    return {"output", "attn_output_weights"};
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs,
                                           DType dtype) const override {
    const std::span<const DType> values =
        inputs.first(inputs.size() - static_cast<size_t>(masks()));
    RETURN_IF_ERROR(Layer::InferDTypes(values, dtype).status());
    size_t next = values.size();
    if (key_padding_mask_) RETURN_IF_ERROR(CheckMaskDType(kKeyPadding, inputs[next++], dtype));
    if (attn_mask_) RETURN_IF_ERROR(CheckMaskDType(kAttention, inputs[next], dtype));
    return OutputDTypes{dtype, dtype};
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> all, Sizes& sizes) const override {
    const std::span<const Shape> inputs = all.first(all.size() - static_cast<size_t>(masks()));
    if (inputs.size() == 2) {
      return InvalidArgument("wants 1 or 3 inputs{}, got 2",
                             masks() > 0 ? " before the masks" : "");
    }
    const Shape& query = inputs[0];
    if (query.rank() != 2 && query.rank() != 3) {
      return InvalidArgument("wants a rank of 2 (unbatched) or 3, got shape {}", query.ToString());
    }
    const std::array<int, 3> features{embed_, key_, value_};
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].rank() != query.rank()) {
        return InvalidArgument("wants query, key and value of one rank, got {} and {}",
                               query.ToString(), inputs[i].ToString());
      }
      RETURN_IF_ERROR(Resolve(features[i], inputs[i].dim(-1), sizes));
    }
    if (inputs.size() == 1) {
      RETURN_IF_ERROR(Resolve(key_, query.dim(-1), sizes));
      RETURN_IF_ERROR(Resolve(value_, query.dim(-1), sizes));
    } else {
      RETURN_IF_ERROR(CheckLengths(inputs));
    }
    const int64_t embed_dim = sizes[static_cast<size_t>(embed_)];
    if (embed_dim != kUnknownDim && embed_dim % num_heads_ != 0) {
      return InvalidArgument("wants embed_dim divisible by num_heads {}, got {}", num_heads_,
                             embed_dim);
    }
    RETURN_IF_ERROR(CheckMasks(inputs, all.subspan(inputs.size())));
    Shape output = query;
    output.set_dim(-1, embed_dim);
    return OutputShapes{output, WeightsShape(inputs)};
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape shape = lowering.shape(lowering.input(0));
    const bool single = lowering.input_count() - masks() == 1;
    std::array<ValueId, 3> inputs;
    for (int i = 0; i < 3; ++i) {
      inputs[static_cast<size_t>(i)] =
          AsBatch(lowering, lowering.input(single ? 0 : i), batch_first_);
    }
    const Shape query = lowering.shape(inputs[0]);
    AttentionShape attention{
        .batch = query.dim(batch_axis()),
        .query_length = query.dim(1 - batch_axis()),
        .key_length = lowering.shape(inputs[1]).dim(1 - batch_axis()),
        .embed_dim = query.dim(2),
        .num_heads = num_heads_,
        .batch_first = batch_first_,
    };
    std::array<ValueId, 3> projected;
    for (int i = 0; i < 3; ++i) {
      const auto at = static_cast<size_t>(i);
      projected[at] = Project(lowering, inputs[at], ProjectionWeight(lowering, i, attention),
                              ProjectionBias(lowering, i, attention.embed_dim));
    }
    for (size_t i : {size_t{1}, size_t{2}}) {
      if (add_bias_kv_) {
        const ValueId bias = lowering.Parameter(bias_k_ + static_cast<int>(i) - 1);
        projected[i] = Appended(lowering, projected[i], bias);
      }
      if (add_zero_attn_) {
        const ValueId zero = lowering.Scalar(0, lowering.dtype_of(projected[i]));
        projected[i] = Appended(lowering, projected[i], zero);
      }
    }
    attention.key_length += appended();
    AttentionMasks given;
    int next = lowering.input_count() - masks();
    if (key_padding_mask_) given.key_padding = lowering.input(next++);
    if (attn_mask_) given.attention = lowering.input(next);
    const Attended attended =
        Attend(lowering, attention, projected[0], projected[1], projected[2], given);
    const ValueId dst = Project(lowering, attended.output, lowering.Parameter(out_weight_),
                                bias_ ? lowering.Parameter(out_weight_ + 1) : backend::kNoValue);
    return {lowering.Reshape(dst, shape), Weights(lowering, attended.weights, shape.rank() == 3)};
  }

  // out_proj is drawn first, as the inner layer that PyTorch constructs before it resets its own.
  std::vector<int> draw_order() const override {
    std::vector<int> order;
    for (int i = out_weight_; i < static_cast<int>(parameters().size()); ++i) order.push_back(i);
    for (int i = 0; i < out_weight_; ++i) order.push_back(i);
    return order;
  }

  std::string Arguments(const Sizes& sizes) const override {
    const int64_t embed_dim = ReprSize(sizes, embed_);
    return fmt::format(
        "\n  (out_proj): NonDynamicallyQuantizableLinear(in_features={}, out_features={}, "
        "bias={})\n",
        embed_dim, embed_dim, PythonBool(bias_));
  }

 private:
  static constexpr const char* kKeyPadding = "a key_padding_mask";
  static constexpr const char* kAttention = "an attn_mask";

  int batch_axis() const { return batch_first_ ? 0 : 1; }

  // Inputs behind query, key and value.
  int masks() const { return (key_padding_mask_ ? 1 : 0) + (attn_mask_ ? 1 : 0); }

  // Keys that the layer adds of its own.
  int64_t appended() const { return (add_bias_kv_ ? 1 : 0) + (add_zero_attn_ ? 1 : 0); }

  // kdim or vdim: a size of its own, or embed_dim's.
  int AddFeatures(AttributeReader& reader, std::string_view name,
                  std::optional<int64_t> embed_dim) {
    if (!reader.Has(name)) return embed_;
    const std::optional<int64_t> size = reader.SizeOrInput(name, 1, "-1 (lazy)");
    if (size && size == embed_dim) return embed_;
    return AddSize(std::string(name), size);
  }

  void AddParameters() {
    const InitialValue xavier{.kind = InitialValue::Kind::kXavierUniform};
    const Extent embed = Extent::OfSize(embed_);
    if (packed_) {
      AddParameter({.name = "in_proj_weight",
                    .extents = {Extent::Times(3, embed_), embed},
                    .initial = xavier});
    } else {
      int index = 0;
      for (const auto& [name, features] :
           {std::pair("q_proj_weight", embed_), std::pair("k_proj_weight", key_),
            std::pair("v_proj_weight", value_)}) {
        InitialValue initial = xavier;
        initial.fan_in_of = index++;
        AddParameter(
            {.name = name, .extents = {embed, Extent::OfSize(features)}, .initial = initial});
      }
    }
    if (bias_) AddParameter({.name = "in_proj_bias", .extents = {Extent::Times(3, embed_)}});
    if (add_bias_kv_) {
      bias_k_ = static_cast<int>(parameters().size());
      for (const char* name : {"bias_k", "bias_v"}) {
        AddParameter({.name = name,
                      .extents = {Extent::Of(1), Extent::Of(1), embed},
                      .initial = {.kind = InitialValue::Kind::kXavierNormal,
                                  .fan_in_of = static_cast<int>(parameters().size())}});
      }
    }
    out_weight_ = AddParameter({.name = "out_proj.weight",
                                .extents = {embed, embed},
                                .initial = {.kind = InitialValue::Kind::kKaimingUniform,
                                            .fan_in_of = static_cast<int>(parameters().size())}});
    if (!bias_) return;
    AddParameter(
        {.name = "out_proj.bias",
         .extents = {embed},
         .initial = {
             .kind = InitialValue::Kind::kFanInUniform, .fan_in_of = out_weight_, .zeroed = true}});
  }

  // Key and value are equally long, and all three are of one batch.
  absl::Status CheckLengths(std::span<const Shape> inputs) const {
    const int sequence = inputs[0].rank() == 3 ? 1 - batch_axis() : 0;
    const bool batches = inputs[0].rank() == 3 &&
                         (!MayEqual(inputs[0].dim(batch_axis()), inputs[1].dim(batch_axis())) ||
                          !MayEqual(inputs[0].dim(batch_axis()), inputs[2].dim(batch_axis())));
    if (inputs[1].dim(sequence) == 0) {
      return InvalidArgument("wants at least 1 key, got shape {}", inputs[1].ToString());
    }
    if (!batches && MayEqual(inputs[1].dim(sequence), inputs[2].dim(sequence))) {
      return absl::OkStatus();
    }
    return InvalidArgument("wants one batch, and key and value of one length, got {}, {} and {}",
                           inputs[0].ToString(), inputs[1].ToString(), inputs[2].ToString());
  }

  absl::Status CheckMasks(std::span<const Shape> inputs, std::span<const Shape> given) const {
    const MaskShapes shapes{.batched = inputs[0].rank() == 3,
                            .batch = inputs[0].rank() == 3 ? inputs[0].dim(batch_axis()) : 1,
                            .query_length = Length(inputs.front()),
                            .key_length = Length(inputs.size() == 1 ? inputs[0] : inputs[1]),
                            .num_heads = num_heads_};
    if (key_padding_mask_) {
      RETURN_IF_ERROR(CheckKeyPaddingMask(kKeyPadding, given.front(), shapes));
    }
    if (attn_mask_) RETURN_IF_ERROR(CheckAttentionMask(kAttention, given.back(), shapes));
    return absl::OkStatus();
  }

  int64_t Length(const Shape& shape) const {
    return shape.dim(shape.rank() == 3 ? 1 - batch_axis() : 0);
  }

  Shape WeightsShape(std::span<const Shape> inputs) const {
    const int64_t keys = Length(inputs.size() == 1 ? inputs[0] : inputs[1]);
    Shape::Dims dims;
    if (inputs[0].rank() == 3) dims.push_back(inputs[0].dim(batch_axis()));
    if (!average_) dims.push_back(num_heads_);
    dims.push_back(Length(inputs[0]));
    dims.push_back(keys == kUnknownDim ? kUnknownDim : keys + appended());
    return Shape(std::move(dims));
  }

  // [N, heads, L, S] as the second output.
  ValueId Weights(Lowering& lowering, ValueId weights, bool batched) const {
    const Shape all = lowering.shape(weights);
    Shape::Dims dims{all.dim(2), all.dim(3)};
    if (!average_) dims.insert(dims.begin(), all.dim(1));
    if (batched) dims.insert(dims.begin(), all.dim(0));
    if (average_) {
      const backend::Reduction mean{.algorithm = backend::Reduction::Algorithm::kMean, .axes = {1}};
      weights = lowering.Add(mean, {weights}, Shape{all.dim(0), 1, all.dim(2), all.dim(3)});
    }
    return lowering.Reshape(weights, Shape(std::move(dims)));
  }

  // One more key or value, the same for the whole batch.
  ValueId Appended(Lowering& lowering, ValueId keys, ValueId key) const {
    Shape shape = lowering.shape(keys);
    Shape one = shape;
    one.set_dim(1 - batch_axis(), 1);
    const ValueId expanded = lowering.Add(backend::Expand{}, {key}, one);
    shape.set_dim(1 - batch_axis(), shape.dim(1 - batch_axis()) + 1);
    return lowering.Add(backend::Concat{.axis = 1 - batch_axis()}, {keys, expanded}, shape);
  }

  // Of the query (0), key (1) or value (2).
  ValueId ProjectionWeight(Lowering& lowering, int which, const AttentionShape& shape) const {
    if (!packed_) return lowering.Parameter(which);
    return lowering.ParameterPart(0, which * shape.embed_dim, (which + 1) * shape.embed_dim,
                                  Shape{shape.embed_dim, shape.embed_dim});
  }
  ValueId ProjectionBias(Lowering& lowering, int which, int64_t embed_dim) const {
    if (!bias_) return backend::kNoValue;
    return lowering.ParameterPart(packed_ ? 1 : 3, which * embed_dim, (which + 1) * embed_dim,
                                  Shape{embed_dim});
  }

  int64_t num_heads_;
  bool bias_;
  bool add_bias_kv_;
  bool add_zero_attn_;
  bool batch_first_;
  bool key_padding_mask_;
  bool attn_mask_;
  bool average_;
  bool packed_ = true;  // the projections are one parameter
  int embed_ = 0;       // indices of sizes
  int key_ = 0;
  int value_ = 0;
  int out_weight_ = 0;  // indices of parameters
  int bias_k_ = 0;
};

}  // namespace

std::unique_ptr<const Layer> MakeMultiheadAttention(AttributeReader& reader) {
  return std::make_unique<MultiheadAttention>(reader);
}

}  // namespace lazynet::nn
