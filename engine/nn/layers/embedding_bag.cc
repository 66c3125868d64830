#include "engine/nn/layers/embedding_bag.h"

#include <optional>
#include <string>

#include "engine/nn/fitting.h"

namespace lazynet::nn {
namespace {

using Mode = backend::EmbeddingBag::Mode;

class EmbeddingBag : public Layer {
 public:
  explicit EmbeddingBag(AttributeReader& reader)
      : num_embeddings_(reader.RequiredInt("num_embeddings", 1)),
        embedding_dim_(reader.RequiredInt("embedding_dim", 1)),
        mode_(reader.String("mode", "mean")) {
    reader.Require(mode_ == "sum" || mode_ == "mean" || mode_ == "max",
                   fmt::format("argument mode wants sum, mean or max, got {}", mode_));
    op_.mode = mode_ == "sum" ? Mode::kSum : mode_ == "max" ? Mode::kMax : Mode::kMean;
    op_.include_last_offset = reader.Bool("include_last_offset", false);
    op_.padding_idx = reader.OptionalInt("padding_idx");
    reader.Require(!op_.padding_idx ||
                       (*op_.padding_idx >= -num_embeddings_ && *op_.padding_idx < num_embeddings_),
                   fmt::format("argument padding_idx wants {} to {}, got {}", -num_embeddings_,
                               num_embeddings_ - 1, op_.padding_idx.value_or(0)));
    if (op_.padding_idx.value_or(0) < 0) *op_.padding_idx += num_embeddings_;
    AddParameter({.name = "weight",
                  .extents = {Extent::Of(num_embeddings_), Extent::Of(embedding_dim_)},
                  .initial = {.kind = InitialValue::Kind::kNormal,
                              .zero_row = op_.padding_idx.value_or(-1)}});
  }

  Arity arity() const override { return {.least = 1, .most = op_.mode == Mode::kSum ? 3 : 2}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs,
                                           DType dtype) const override {
    const DType ids = inputs[0];
    if (ids != DType::kInt32 && ids != DType::kInt64) {
      return InvalidArgument("wants ids of dtype INT32 or INT64, got {}", Name(ids));
    }
    for (size_t i = 1; i < inputs.size(); ++i) {
      const bool weights = i == 2 || (i == 1 && inputs.size() == 2 && inputs[1] == dtype);
      if (weights && op_.mode != Mode::kSum) {
        return InvalidArgument("wants per_sample_weights with mode sum only, got {}", mode_);
      }
      if (inputs[i] != (weights ? dtype : ids)) {
        return InvalidArgument("wants {} of dtype {}, got {}",
                               weights ? "per_sample_weights" : "offsets",
                               Name(weights ? dtype : ids), Name(inputs[i]));
      }
    }
    return OutputDTypes{dtype};
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& ids = inputs[0];
    const bool ragged = ids.rank() == 1;
    if (!ragged && ids.rank() != 2) {
      return InvalidArgument("wants ids of rank 2, or of rank 1 with offsets, got shape {}",
                             ids.ToString());
    }
    const size_t others = inputs.size() - 1;
    if ((ragged && others == 0) || (!ragged && others == 2)) {
      return InvalidArgument("wants offsets with ids of rank 1 only, got shape {} and {} inputs",
                             ids.ToString(), inputs.size());
    }
    const Shape* weights = others == (ragged ? 2u : 1u) ? &inputs.back() : nullptr;
    if (weights != nullptr && !MayEqual(*weights, ids)) {
      return InvalidArgument("wants per_sample_weights of shape {}, got {}", ids.ToString(),
                             weights->ToString());
    }
    if (!ragged) return Shape{ids.dim(0), embedding_dim_};
    const Shape& offsets = inputs[1];
    const int64_t least = op_.include_last_offset ? 1 : 0;
    if (offsets.rank() != 1 || (offsets.dim(0) != kUnknownDim && offsets.dim(0) < least)) {
      return InvalidArgument("wants offsets of rank 1 and at least {} numbers, got shape {}", least,
                             offsets.ToString());
    }
    return Shape{offsets.dim(0) == kUnknownDim ? kUnknownDim : offsets.dim(0) - least,
                 embedding_dim_};
  }

  OutputValues Lower(Lowering& lowering) const override {
    const backend::ValueId ids = lowering.input(0);
    const Shape shape = lowering.shape(ids);
    const bool ragged = shape.rank() == 1;
    const backend::ValueId table = lowering.Parameter(0);
    const int last = lowering.input_count() - 1;
    const bool weighted = last == (ragged ? 2 : 1);
    const int64_t bags =
        ragged ? lowering.shape(lowering.input(1)).dim(0) - (op_.include_last_offset ? 1 : 0)
               : shape.dim(0);
    const Shape flat{shape.num_elements()};
    return lowering.Add(
        op_,
        {lowering.Reshape(ids, flat), ragged ? lowering.input(1) : backend::kNoValue, table,
         weighted ? lowering.Reshape(lowering.input(last), flat) : backend::kNoValue},
        Shape{bags, embedding_dim_}, lowering.dtype_of(table));
  }

  // As PyTorch prints it.
  std::string Arguments(const Sizes&) const override {
    return fmt::format("{}, {}, mode={}{}", num_embeddings_, embedding_dim_, mode_,
                       op_.padding_idx ? fmt::format(", padding_idx={}", *op_.padding_idx) : "");
  }

 private:
  int64_t num_embeddings_;
  int64_t embedding_dim_;
  std::string mode_;
  backend::EmbeddingBag op_;
};

}  // namespace

std::unique_ptr<const Layer> MakeEmbeddingBag(AttributeReader& reader) {
  return std::make_unique<EmbeddingBag>(reader);
}

}  // namespace lazynet::nn
