#include "engine/nn/layers/transformer_layer.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/fitting.h"
#include "engine/nn/layers/attention.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;
using Algorithm = backend::Eltwise::Algorithm;

// A mask that the layer may be called with.
struct Mask {
  std::string name;
  bool of_memory = false;  // of the keys of the memory, else of the layer's own
  bool of_keys = false;    // a key padding mask
};

const std::vector<Mask>& MasksOf(bool decoder) {
  static const auto* encoder_masks = new std::vector<Mask>{
      {.name = "src_mask"}, {.name = "src_key_padding_mask", .of_keys = true}};
  static const auto* decoder_masks = new std::vector<Mask>{
      {.name = "tgt_mask"},
      {.name = "memory_mask", .of_memory = true},
      {.name = "tgt_key_padding_mask", .of_keys = true},
      {.name = "memory_key_padding_mask", .of_memory = true, .of_keys = true}};
  return decoder ? *decoder_masks : *encoder_masks;
}

class TransformerLayer : public Layer {
 public:
  TransformerLayer(bool decoder, AttributeReader& reader)
      : decoder_(decoder),
        nhead_(reader.RequiredInt("nhead", 1)),
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
    for (const Mask& mask : MasksOf(decoder)) {
      if (reader.Bool(mask.name, false)) masks_.push_back(mask);
    }
    AddParameters(AddSize("d_model", d_model));
  }

  Arity arity() const override {
    const int count = values() + static_cast<int>(masks_.size());
    return {.least = count, .most = count};
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs,
                                           DType dtype) const override {
    const auto count = static_cast<size_t>(values());
    RETURN_IF_ERROR(Layer::InferDTypes(inputs.first(count), dtype).status());
    for (size_t i = 0; i < masks_.size(); ++i) {
      RETURN_IF_ERROR(CheckMaskDType("a " + masks_[i].name, inputs[count + i], dtype));
    }
    return OutputDTypes{dtype};
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
    if (decoder_) RETURN_IF_ERROR(CheckMemory(input, inputs[1], sizes));
    for (size_t i = 0; i < masks_.size(); ++i) {
      RETURN_IF_ERROR(
          CheckMask(masks_[i], inputs[static_cast<size_t>(values()) + i], input, inputs));
    }
    Shape output = input;
    output.set_dim(-1, sizes[0]);
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape shape = lowering.shape(lowering.input(0));
    ValueId x = AsBatch(lowering, lowering.input(0), batch_first_);
    std::vector<std::function<ValueId(ValueId)>> parts;
    parts.push_back([&](ValueId src) { return Attention(lowering, src, src, false); });
    if (decoder_) {
      const ValueId memory = AsBatch(lowering, lowering.input(1), batch_first_);
      parts.push_back([&, memory](ValueId src) { return Attention(lowering, src, memory, true); });
    }
    parts.push_back([&](ValueId src) { return FeedForward(lowering, src); });
    for (size_t i = 0; i < parts.size(); ++i) {
      const int norm = norms_ + 2 * static_cast<int>(i);
      x = norm_first_ ? Sum(lowering, x, parts[i](Normalized(lowering, x, norm)))
                      : Normalized(lowering, Sum(lowering, x, parts[i](x)), norm);
    }
    return lowering.Reshape(x, shape);
  }

  // Of each attention out_proj before in_proj: see MultiheadAttention.
  std::vector<int> draw_order() const override {
    std::vector<int> order = Layer::draw_order();
    for (int attention = 0; attention < linear_; attention += kAttentionSize) {
      std::swap(order[static_cast<size_t>(attention)], order[static_cast<size_t>(attention) + 2]);
      std::swap(order[static_cast<size_t>(attention) + 1],
                order[static_cast<size_t>(attention) + 3]);
    }
    return order;
  }

  std::string Arguments(const Sizes& sizes) const override {
    const int64_t d = ReprSize(sizes, 0);
    const auto linear = [](std::string_view name, std::string_view type, int64_t in, int64_t out) {
      return fmt::format("({}): {}(in_features={}, out_features={}, bias=True)\n", name, type, in,
                         out);
    };
    const auto dropout = [&](const std::string& name) {
      return fmt::format("  ({}): Dropout(p={}, inplace=False)\n", name, dropout_);
    };
    std::string text = "\n";
    for (const char* name : {"self_attn", "multihead_attn"}) {
      if (name[0] == 'm' && !decoder_) continue;
      text += fmt::format("  ({}): MultiheadAttention(\n    {}  )\n", name,
                          linear("out_proj", "NonDynamicallyQuantizableLinear", d, d));
    }
    text += "  " + linear("linear1", "Linear", d, dim_feedforward_) + dropout("dropout") + "  " +
            linear("linear2", "Linear", dim_feedforward_, d);
    for (int i = 1; i <= part_count(); ++i) {
      text += fmt::format("  (norm{}): LayerNorm(({},), eps={}, elementwise_affine=True)\n", i, d,
                          PythonFloat(eps_));
    }
    for (int i = 1; i <= part_count(); ++i) text += dropout(fmt::format("dropout{}", i));
    return text;
  }

 private:
  // Parameters of an attention: in_proj and out_proj, weight and bias.
  static constexpr int kAttentionSize = 4;

  int values() const { return decoder_ ? 2 : 1; }
  int part_count() const { return decoder_ ? 3 : 2; }
  int batch_axis() const { return batch_first_ ? 0 : 1; }

  void AddParameters(int size) {
    const Extent d = Extent::OfSize(size);
    const Extent wide = Extent::Of(dim_feedforward_);
    AddAttention("self_attn", size);
    if (decoder_) AddAttention("multihead_attn", size);
    linear_ = static_cast<int>(parameters().size());
    AddLinear("linear1", wide, d, false);
    AddLinear("linear2", d, wide, false);
    norms_ = static_cast<int>(parameters().size());
    for (int i = 1; i <= part_count(); ++i) {
      AddParameter(
          {.name = fmt::format("norm{}.weight", i), .extents = {d}, .initial = {.value = 1}});
      AddParameter({.name = fmt::format("norm{}.bias", i), .extents = {d}});
    }
  }

  void AddAttention(const std::string& name, int size) {
    const Extent d = Extent::OfSize(size);
    AddParameter({.name = name + ".in_proj_weight",
                  .extents = {Extent::Times(3, size), d},
                  .initial = {.kind = InitialValue::Kind::kXavierUniform,
                              .fan_in_of = static_cast<int>(parameters().size())}});
    AddParameter({.name = name + ".in_proj_bias", .extents = {Extent::Times(3, size)}});
    AddLinear(name + ".out_proj", d, d, true);
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

  int64_t Length(const Shape& shape) const {
    return shape.dim(shape.rank() == 3 ? 1 - batch_axis() : 0);
  }

  absl::Status CheckMemory(const Shape& input, const Shape& memory, Sizes& sizes) const {
    if (memory.rank() != input.rank()) {
      return InvalidArgument("wants a memory of rank {}, got shape {}", input.rank(),
                             memory.ToString());
    }
    RETURN_IF_ERROR(Resolve(0, memory.dim(-1), sizes));
    if (Length(memory) == 0) {
      return InvalidArgument("wants a memory of at least 1 step, got shape {}", memory.ToString());
    }
    if (input.rank() == 2) return absl::OkStatus();
    const int64_t wanted = input.dim(batch_axis());
    const int64_t got = memory.dim(batch_axis());
    if (MayEqual(wanted, got)) return absl::OkStatus();
    return InvalidArgument("wants a memory of batch {}, got shape {}", wanted, memory.ToString());
  }

  absl::Status CheckMask(const Mask& mask, const Shape& got, const Shape& input,
                         std::span<const Shape> inputs) const {
    const MaskShapes shapes{.batched = input.rank() == 3,
                            .batch = input.rank() == 3 ? input.dim(batch_axis()) : 1,
                            .query_length = Length(input),
                            .key_length = Length(mask.of_memory ? inputs[1] : input),
                            .num_heads = nhead_};
    const std::string name = "a " + mask.name;
    return mask.of_keys ? CheckKeyPaddingMask(name, got, shapes)
                        : CheckAttentionMask(name, got, shapes);
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

  ValueId Attention(Lowering& lowering, ValueId query, ValueId key, bool of_memory) const {
    const Shape shape = lowering.shape(query);
    const int64_t d = shape.dim(2);
    const int parameters = of_memory ? kAttentionSize : 0;
    const AttentionShape attention{.batch = shape.dim(batch_axis()),
                                   .query_length = Length(shape),
                                   .key_length = Length(lowering.shape(key)),
                                   .embed_dim = d,
                                   .num_heads = nhead_,
                                   .batch_first = batch_first_};
    const auto projected = [&](ValueId src, int64_t which) {
      return Project(lowering, src,
                     lowering.ParameterPart(parameters, which * d, (which + 1) * d, Shape{d, d}),
                     lowering.ParameterPart(parameters + 1, which * d, (which + 1) * d, Shape{d}));
    };
    AttentionMasks given;
    for (size_t i = 0; i < masks_.size(); ++i) {
      if (masks_[i].of_memory != of_memory) continue;
      const ValueId mask = lowering.input(values() + static_cast<int>(i));
      (masks_[i].of_keys ? given.key_padding : given.attention) = mask;
    }
    const ValueId q = projected(query, 0);
    const ValueId k = projected(key, 1);
    const Attended attended = Attend(lowering, attention, q, k, projected(key, 2), given);
    return Linear(lowering, attended.output, parameters + 2);
  }

  ValueId FeedForward(Lowering& lowering, ValueId src) const {
    const ValueId wide = Linear(lowering, src, linear_);
    const ValueId active =
        lowering.Add(backend::Eltwise{.algorithm = activation_}, {wide}, lowering.shape(wide));
    return Linear(lowering, active, linear_ + 2);
  }

  bool decoder_;
  int64_t nhead_;
  int64_t dim_feedforward_;
  double dropout_;
  double eps_;
  bool batch_first_;
  bool norm_first_;
  Algorithm activation_ = Algorithm::kRelu;
  std::vector<Mask> masks_;  // that there are inputs for
  int linear_ = 0;           // indices of the first parameters
  int norms_ = 0;
};

}  // namespace

std::unique_ptr<const Layer> MakeTransformerEncoderLayer(AttributeReader& reader) {
  return std::make_unique<TransformerLayer>(false, reader);
}

std::unique_ptr<const Layer> MakeTransformerDecoderLayer(AttributeReader& reader) {
  return std::make_unique<TransformerLayer>(true, reader);
}

}  // namespace lazynet::nn
