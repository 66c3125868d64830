#include "engine/nn/layers/distance.h"

#include <string>

#include "engine/nn/axes.h"
#include "engine/nn/broadcast.h"
#include "engine/nn/layers/elementwise.h"
#include "engine/nn/number.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::Reduction;
using backend::ValueId;
using BinaryAlgorithm = backend::Binary::Algorithm;

ValueId Reduce(Lowering& lowering, Reduction op, ValueId src, bool keep) {
  const Shape shape = ReducedShape(lowering.shape(src), op.axes, keep);
  return lowering.Add(std::move(op), {src}, shape);
}

class CosineSimilarity : public Layer {
 public:
  explicit CosineSimilarity(AttributeReader& reader)
      : dim_(reader.Int("dim", 1)), eps_(reader.Double("eps", 1e-8)) {}

  Arity arity() const override { return {.least = 2, .most = 2}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    const DType dtype = Promote(inputs);
    if (!IsFloating(dtype)) return InvalidArgument("wants a floating dtype, got {}", Name(dtype));
    return dtype;
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(const Shape shape, Broadcast(inputs));
    const int64_t dims[] = {dim_};
    ASSIGN_OR_RETURN(const backend::AxisVector axes, AxesOf(dims, shape));
    return ReducedShape(shape, axes, false);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto& graph = lowering.graph();
    const DType dtype =
        Promote(graph.value(lowering.input(0)).dtype, graph.value(lowering.input(1)).dtype);
    const Shape shape =
        *Broadcast(lowering.shape(lowering.input(0)), lowering.shape(lowering.input(1)));
    const int64_t dims[] = {dim_};
    const backend::AxisVector axes = *AxesOf(dims, shape);
    ValueId x[2];
    ValueId length[2];
    for (int i = 0; i < 2; ++i) {
      x[i] = InGraphDType(lowering, lowering.input(i), dtype);
      // Along a stretched axis the norm is that of the copies.
      if (lowering.shape(x[i]) != shape) x[i] = lowering.Add(backend::Expand{}, {x[i]}, shape);
      const ValueId norm =
          Reduce(lowering, {.algorithm = Reduction::Algorithm::kNorm, .axes = axes}, x[i], false);
      length[i] = AddClamp(lowering, norm, dtype, eps_, std::nullopt);
    }
    const ValueId product = Reduce(lowering, {.axes = axes},
                                   AddBinary(lowering, BinaryAlgorithm::kMul, x[0], x[1]), false);
    return AddBinary(lowering, BinaryAlgorithm::kDiv,
                     AddBinary(lowering, BinaryAlgorithm::kDiv, product, length[0]), length[1]);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("dim={}, eps={}", dim_, PythonFloat(eps_));
  }

 private:
  int64_t dim_;
  double eps_;
};

class PairwiseDistance : public Layer {
 public:
  explicit PairwiseDistance(AttributeReader& reader)
      : p_(reader.Double("p", 2)),
        eps_(reader.Double("eps", 1e-6)),
        keepdim_(reader.Bool("keepdim", false)) {}

  Arity arity() const override { return {.least = 2, .most = 2}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    for (const DType dtype : inputs) {
      if (dtype == DType::kBool) return InvalidArgument("wants numbers, got BOOL");
    }
    return ToFloating(Promote(inputs));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(const Shape shape, Broadcast(inputs));
    const backend::AxisVector axes = Axes(shape);
    if (p_ < 0 && !axes.empty() && shape.dim(-1) == 0) {
      return InvalidArgument("wants elements to choose from, got shape {}", shape.ToString());
    }
    return ReducedShape(shape, axes, keepdim_);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto& graph = lowering.graph();
    const DType inputs =
        Promote(graph.value(lowering.input(0)).dtype, graph.value(lowering.input(1)).dtype);
    const DType arithmetic = ArithmeticDType(inputs);
    const DType dtype = ToFloating(inputs);
    ValueId difference = AddBinary(lowering, BinaryAlgorithm::kSub,
                                   InGraphDType(lowering, lowering.input(0), arithmetic),
                                   InGraphDType(lowering, lowering.input(1), arithmetic));
    difference = InGraphDType(lowering, InGraphDType(lowering, difference, inputs), dtype);
    difference =
        AddBinary(lowering, BinaryAlgorithm::kAdd, difference, AddNumber(lowering, eps_, dtype));
    const backend::AxisVector axes = Axes(lowering.shape(difference));
    return Reduce(lowering, {.algorithm = Reduction::Algorithm::kNorm, .axes = axes, .p = p_},
                  difference, keepdim_);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("p={}, eps={}, keepdim={}", PythonFloat(p_), PythonFloat(eps_),
                       PythonBool(keepdim_));
  }

 private:
  static backend::AxisVector Axes(const Shape& shape) {
    if (shape.rank() == 0) return {};
    return {shape.rank() - 1};
  }

  double p_;
  double eps_;
  bool keepdim_;
};

class Normalize : public Layer {
 public:
  explicit Normalize(AttributeReader& reader)
      : p_(reader.Double("p", 2)), dim_(reader.Int("dim", 1)), eps_(reader.Double("eps", 1e-12)) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const int64_t dims[] = {dim_};
    RETURN_IF_ERROR(AxesOf(dims, inputs[0]).status());
    return inputs[0];
  }

  OutputValues Lower(Lowering& lowering) const override {
    const ValueId src = lowering.input(0);
    const DType dtype = lowering.graph().value(src).dtype;
    const int64_t dims[] = {dim_};
    const ValueId norm = Reduce(lowering,
                                {.algorithm = Reduction::Algorithm::kNorm,
                                 .axes = *AxesOf(dims, lowering.shape(src)),
                                 .p = p_},
                                src, true);
    return AddBinary(lowering, BinaryAlgorithm::kDiv, src,
                     AddClamp(lowering, norm, dtype, eps_, std::nullopt));
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("p={}, dim={}, eps={}", PythonFloat(p_), dim_, PythonFloat(eps_));
  }

 private:
  double p_;
  int64_t dim_;
  double eps_;
};

}  // namespace

std::unique_ptr<const Layer> MakeCosineSimilarity(AttributeReader& reader) {
  return std::make_unique<CosineSimilarity>(reader);
}

std::unique_ptr<const Layer> MakePairwiseDistance(AttributeReader& reader) {
  return std::make_unique<PairwiseDistance>(reader);
}

std::unique_ptr<const Layer> MakeNormalize(AttributeReader& reader) {
  return std::make_unique<Normalize>(reader);
}

}  // namespace lazynet::nn
