#include "engine/nn/layers/embedding.h"

#include <optional>

namespace lazynet::nn {
namespace {

class Embedding : public Layer {
 public:
  explicit Embedding(AttributeReader& reader)
      : num_embeddings_(reader.RequiredInt("num_embeddings", 1)),
        embedding_dim_(reader.RequiredInt("embedding_dim", 1)),
        padding_idx_(reader.OptionalInt("padding_idx")) {
    reader.Require(
        !padding_idx_ || (*padding_idx_ >= -num_embeddings_ && *padding_idx_ < num_embeddings_),
        fmt::format("argument padding_idx wants {} to {}, got {}", -num_embeddings_,
                    num_embeddings_ - 1, padding_idx_.value_or(0)));
    if (padding_idx_.value_or(0) < 0) *padding_idx_ += num_embeddings_;
    AddParameter(
        {.name = "weight",
         .extents = {Extent::Of(num_embeddings_), Extent::Of(embedding_dim_)},
         .initial = {.kind = InitialValue::Kind::kNormal, .zero_row = padding_idx_.value_or(-1)}});
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs,
                                           DType dtype) const override {
    if (inputs[0] == DType::kInt32 || inputs[0] == DType::kInt64) return dtype;
    return InvalidArgument("wants ids of dtype INT32 or INT64, got {}", Name(inputs[0]));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return Output(inputs[0]);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto ids = lowering.input(0);
    const auto table = lowering.Parameter(0);
    return lowering.Add(backend::Gather{}, {ids, table}, Output(lowering.shape(ids)),
                        lowering.graph().value(table).dtype);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("{}, {}{}", num_embeddings_, embedding_dim_,
                       padding_idx_ ? fmt::format(", padding_idx={}", *padding_idx_) : "");
  }

 private:
  Shape Output(const Shape& ids) const {
    Shape::Dims dims(ids.dims().begin(), ids.dims().end());
    dims.push_back(embedding_dim_);
    return Shape(std::move(dims));
  }

  int64_t num_embeddings_;
  int64_t embedding_dim_;
  std::optional<int64_t> padding_idx_;
};

}  // namespace

std::unique_ptr<const Layer> MakeEmbedding(AttributeReader& reader) {
  return std::make_unique<Embedding>(reader);
}

}  // namespace lazynet::nn
