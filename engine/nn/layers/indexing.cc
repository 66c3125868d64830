#include "engine/nn/layers/indexing.h"

#include <algorithm>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

class Indexing : public ShapeLayer {
 public:
  Arity arity() const override { return {.least = 2, .most = 2}; }
  std::string Arguments(const Sizes&) const override { return fmt::format("dim={}", dim_); }

 protected:
  explicit Indexing(AttributeReader& reader) : dim_(reader.Int("dim", 0)) {
    reader.Require(reader.Has("dim"), "argument dim is missing");
  }

  int64_t dim() const { return dim_; }

 private:
  int64_t dim_;
};

class IndexSelect : public Indexing {
 public:
  explicit IndexSelect(AttributeReader& reader) : Indexing(reader) {}

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (inputs[1] == DType::kInt32 || inputs[1] == DType::kInt64) return inputs[0];
    return InvalidArgument("wants an index of dtype INT32 or INT64, got {}", Name(inputs[1]));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& index = inputs[1];
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim(), inputs[0]));
    if (index.rank() > 1) {
      return InvalidArgument("wants an index of rank 1, got shape {}", index.ToString());
    }
    const int64_t count = index.rank() == 0 ? 1 : index.dim(0);
    if (inputs[0].rank() == 0) {
      if (count == 1 || count == kUnknownDim) return inputs[0];
      return InvalidArgument("wants 1 index for a scalar, got {}", count);
    }
    Shape output = inputs[0];
    output.set_dim(axis, count);
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape shapes[] = {lowering.shape(lowering.input(0)), lowering.shape(lowering.input(1))};
    Sizes sizes;
    const Shape output = Infer(shapes, sizes)->front();
    return lowering.Add(backend::IndexSelect{.axis = *AxisOf(dim(), shapes[0])},
                        {lowering.input(0), lowering.input(1)}, output);
  }
};

class Gather : public Indexing {
 public:
  explicit Gather(AttributeReader& reader) : Indexing(reader) {}

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (inputs[1] == DType::kInt64) return inputs[0];
    return InvalidArgument("wants an index of dtype INT64, got {}", Name(inputs[1]));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape src = AtLeastVector(inputs[0]);
    const Shape index = AtLeastVector(inputs[1]);
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim(), src));
    bool fits = src.rank() == index.rank();
    for (int i = 0; fits && i < src.rank(); ++i) {
      const bool open = src.dim(i) == kUnknownDim || index.dim(i) == kUnknownDim;
      fits = i == axis || open || index.dim(i) <= src.dim(i);
    }
    // PyTorch takes any index without elements of equal rank.
    const auto dims = index.dims();
    const bool may_be_empty = std::find_if(dims.begin(), dims.end(), [](int64_t dim) {
                                return dim == 0 || dim == kUnknownDim;
                              }) != dims.end();
    if (!fits && !(may_be_empty && src.rank() == index.rank())) {
      return InvalidArgument("wants an index no larger than {} but on dim {}, got {}",
                             inputs[0].ToString(), dim(), inputs[1].ToString());
    }
    return inputs[1];
  }

  OutputValues Lower(Lowering& lowering) const override {
    auto src = lowering.input(0);
    auto index = lowering.input(1);
    const Shape output = lowering.shape(index);
    src = lowering.Reshape(src, AtLeastVector(lowering.shape(src)));
    index = lowering.Reshape(index, AtLeastVector(output));
    const auto gathered =
        lowering.Add(backend::GatherAlong{.axis = *AxisOf(dim(), lowering.shape(src))},
                     {src, index}, lowering.shape(index));
    return lowering.Reshape(gathered, output);
  }

 private:
  static Shape AtLeastVector(const Shape& shape) { return shape.rank() == 0 ? Shape{1} : shape; }
};

}  // namespace

std::unique_ptr<const Layer> MakeIndexSelect(AttributeReader& reader) {
  return std::make_unique<IndexSelect>(reader);
}

std::unique_ptr<const Layer> MakeGather(AttributeReader& reader) {
  return std::make_unique<Gather>(reader);
}

}  // namespace lazynet::nn
