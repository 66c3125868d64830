#include "engine/nn/layers/transformer_encoder_layer.h"

#include <optional>
#include <string>

#include "engine/nn/layers/attention.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;
using Algorithm = backend::Eltwise::Algorithm;

class TransformerEncoderLayer : public Layer {
 public:
  explicit TransformerEncoderLayer(AttributeReader& reader)
      : nhead_(reader.RequiredInt("nhead", 1)),
        dim_feedforward_(reader.Has("dim_feedforward") ? reader.RequiredInt("dim_feedforward", 1)
                                                       : 2048),
        dropout_(reader.Double("dropout", 0.1)),
        eps_(reader.Double("layer_norm_eps", 1e-5)),
        batch_first_(reader.Bool("batch_first", false)),
        norm_first_(reader.Bool("norm_first", false)) {
    const std::string activation = reader.String("activation", "relu");
    reader.Require(activation == "relu" || activation == "gelu",
                   fmt::format("argument activation wants relu or gelu, got {}", activation));
    activation_ = activation == "gelu" ? Algorithm::kGeluErf : Algorithm::kRelu;
    reader.Require(dropout_ >= 0 && dropout_ <= 1,
                   fmt::format("argument dropout wants 0 to 1, got {}", dropout_));
    reader.Require(eps_ >= 0,
                   fmt::format("argument layer_norm_eps wants at least 0, got {}", eps_));
    const std::optional<int64_t> d_model = reader.Size("d_model");
    reader.Require(
        !d_model || *d_model % nhead_ == 0,
        fmt::format("d_model {} wants to be divisible by nhead {}", d_model.value_or(0), nhead_));
    AddParameters(AddSize("d_model", d_model));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    if (input.rank() != 2 && input.rank() != 3) {
      return InvalidArgument("wants a rank of 2 (unbatched) or 3, got shape {}", input.ToString());
    }
    RETURN_IF_ERROR(Resolve(0, input.dim(-1), sizes));
    if (sizes[0] != kUnknownDim && sizes[0] % nhead_ != 0) {
      return InvalidArgument("wants d_model divisible by nhead {}, got {}", nhead_, sizes[0]);
    }
    Shape output = input;
    output.set_dim(-1, sizes[0]);
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape shape = lowering.shape(lowering.input(0));
    ValueId x = lowering.input(0);
    if (shape.rank() == 2) {
      x = lowering.Reshape(x, batch_first_ ? Shape{1, shape.dim(0), shape.dim(1)}
                                           : Shape{shape.dim(0), 1, shape.dim(1)});
    }
    if (norm_first_) {
      x = Sum(lowering, x, SelfAttention(lowering, Normalized(lowering, x, kNorm1)));
      x = Sum(lowering, x, FeedForward(lowering, Normalized(lowering, x, kNorm2)));
    } else {
      x = Normalized(lowering, Sum(lowering, x, SelfAttention(lowering, x)), kNorm1);
      x = Normalized(lowering, Sum(lowering, x, FeedForward(lowering, x)), kNorm2);
    }
    return lowering.Reshape(x, shape);
  }

  // out_proj before in_proj: see MultiheadAttention.
  std::vector<int> draw_order() const override {
    return {kOutProjection, kOutProjection + 1, kInProjection, kInProjection + 1,
            kLinear1,       kLinear1 + 1,       kLinear2,      kLinear2 + 1,
            kNorm1,         kNorm1 + 1,         kNorm2,        kNorm2 + 1};
  }

  std::string Arguments(const Sizes& sizes) const override {
    const int64_t d = ReprSize(sizes, 0);
    const auto linear = [](std::string_view name, std::string_view type, int64_t in, int64_t out) {
      return fmt::format("({}): {}(in_features={}, out_features={}, bias=True)\n", name, type, in,
                         out);
    };
    const auto dropout = [&](std::string_view name) {
      return fmt::format("  ({}): Dropout(p={}, inplace=False)\n", name, dropout_);
    };
    const auto norm = [&](std::string_view name) {
      return fmt::format("  ({}): LayerNorm(({},), eps={}, elementwise_affine=True)\n", name, d,
                         PythonFloat(eps_));
    };
    return "\n  (self_attn): MultiheadAttention(\n    " +
           linear("out_proj", "NonDynamicallyQuantizableLinear", d, d) + "  )\n  " +
           linear("linear1", "Linear", d, dim_feedforward_) + dropout("dropout") + "  " +
           linear("linear2", "Linear", dim_feedforward_, d) + norm("norm1") + norm("norm2") +
           dropout("dropout1") + dropout("dropout2");
  }

 private:
  // Indices of the weights; each has its bias behind it.
  static constexpr int kInProjection = 0;
  static constexpr int kOutProjection = 2;
  static constexpr int kLinear1 = 4;
  static constexpr int kLinear2 = 6;
  static constexpr int kNorm1 = 8;
  static constexpr int kNorm2 = 10;

  void AddParameters(int size) {
    const Extent d = Extent::OfSize(size);
    const Extent wide = Extent::Of(dim_feedforward_);
    AddParameter({.name = "self_attn.in_proj_weight",
                  .extents = {Extent::Times(3, size), d},
                  .initial = {.kind = InitialValue::Kind::kXavierUniform}});
    AddParameter({.name = "self_attn.in_proj_bias", .extents = {Extent::Times(3, size)}});
    AddLinear("self_attn.out_proj", d, d, true);
    AddLinear("linear1", wide, d, false);
    AddLinear("linear2", d, wide, false);
    for (const char* name : {"norm1", "norm2"}) {
      AddParameter(
          {.name = std::string(name) + ".weight", .extents = {d}, .initial = {.value = 1}});
      AddParameter({.name = std::string(name) + ".bias", .extents = {d}});
    }
  }

  void AddLinear(const std::string& name, Extent out, Extent in, bool zero_bias) {
    const int weight = static_cast<int>(parameters().size());
    AddParameter({.name = name + ".weight",
                  .extents = {out, in},
                  .initial = {.kind = InitialValue::Kind::kKaimingUniform, .fan_in_of = weight}});
    AddParameter(
        {.name = name + ".bias",
         .extents = {out},
         .initial = {
             .kind = InitialValue::Kind::kFanInUniform, .fan_in_of = weight, .zeroed = zero_bias}});
  }

  static ValueId Sum(Lowering& lowering, ValueId a, ValueId b) {
    return lowering.Add(backend::Binary{backend::Binary::Algorithm::kAdd}, {a, b},
                        lowering.shape(a));
  }

  static ValueId Linear(Lowering& lowering, ValueId src, int weight) {
    return Project(lowering, src, lowering.Parameter(weight), lowering.Parameter(weight + 1));
  }

  ValueId Normalized(Lowering& lowering, ValueId src, int weight) const {
    const Shape shape = lowering.shape(src);
    const Shape rows{shape.dim(0) * shape.dim(1), shape.dim(2)};
    const ValueId dst = lowering.Add(
        backend::LayerNormalization{.eps = eps_},
        {lowering.Reshape(src, rows), lowering.Parameter(weight), lowering.Parameter(weight + 1)},
        rows);
    return lowering.Reshape(dst, shape);
  }

  ValueId SelfAttention(Lowering& lowering, ValueId src) const {
    const Shape shape = lowering.shape(src);
    const int64_t d = shape.dim(2);
    const int64_t length = shape.dim(batch_first_ ? 1 : 0);
    const AttentionShape attention{.batch = shape.dim(batch_first_ ? 0 : 1),
                                   .query_length = length,
                                   .key_length = length,
                                   .embed_dim = d,
                                   .num_heads = nhead_,
                                   .batch_first = batch_first_};
    const auto projected = [&](int64_t which) {
      return Project(
          lowering, src,
          lowering.ParameterPart(kInProjection, which * d, (which + 1) * d, Shape{d, d}),
          lowering.ParameterPart(kInProjection + 1, which * d, (which + 1) * d, Shape{d}));
    };
    const ValueId query = projected(0);
    const ValueId key = projected(1);
    const ValueId context = Attend(lowering, attention, query, key, projected(2));
    return Linear(lowering, context, kOutProjection);
  }

  ValueId FeedForward(Lowering& lowering, ValueId src) const {
    const ValueId wide = Linear(lowering, src, kLinear1);
    const ValueId active =
        lowering.Add(backend::Eltwise{.algorithm = activation_}, {wide}, lowering.shape(wide));
    return Linear(lowering, active, kLinear2);
  }

  int64_t nhead_;
  int64_t dim_feedforward_;
  double dropout_;
  double eps_;
  bool batch_first_;
  bool norm_first_;
  Algorithm activation_ = Algorithm::kRelu;
};

}  // namespace

std::unique_ptr<const Layer> MakeTransformerEncoderLayer(AttributeReader& reader) {
  return std::make_unique<TransformerEncoderLayer>(reader);
}

}  // namespace lazynet::nn
