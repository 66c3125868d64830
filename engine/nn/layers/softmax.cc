#include "engine/nn/layers/softmax.h"

#include <optional>

namespace lazynet::nn {
namespace {

class Softmax : public Layer {
 public:
  Softmax(SoftmaxKind kind, AttributeReader& reader)
      : kind_(kind), dim_(kind == SoftmaxKind::kSoftmax2d ? -3 : reader.OptionalInt("dim")) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& input = inputs[0];
    if (kind_ == SoftmaxKind::kSoftmax2d && input.rank() != 3 && input.rank() != 4) {
      return InvalidArgument("wants rank 3 or 4, got shape {}", input.ToString());
    }
    const int64_t rank = std::max(input.rank(), 1);
    if (dim_ && (*dim_ < -rank || *dim_ >= rank)) {
      return InvalidArgument("wants a rank that has dim {}, got shape {}", *dim_, input.ToString());
    }
    return input;
  }

  OutputValues Lower(Lowering& lowering) const override {
    auto src = lowering.input(0);
    const Shape shape = lowering.shape(src);
    if (kind_ == SoftmaxKind::kSoftmin) {
      src = lowering.Add(backend::Eltwise{.algorithm = backend::Eltwise::Algorithm::kNegate}, {src},
                         shape);
    }
    const backend::Softmax op{.axis = Axis(shape.rank()), .log = kind_ == SoftmaxKind::kLogSoftmax};
    if (shape.rank() > 0) return lowering.Add(op, {src}, shape);
    const auto dst = lowering.Add(op, {lowering.Reshape(src, Shape{1})}, Shape{1});
    return lowering.Reshape(dst, shape);
  }

  std::string Arguments(const Sizes&) const override {
    if (kind_ == SoftmaxKind::kSoftmax2d) return "";
    return dim_ ? fmt::format("dim={}", *dim_) : "dim=None";
  }

 private:
  int Axis(int rank) const {
    if (!dim_) return rank == 0 || rank == 1 || rank == 3 ? 0 : 1;
    return static_cast<int>(*dim_ < 0 ? *dim_ + std::max(rank, 1) : *dim_);
  }

  SoftmaxKind kind_;
  std::optional<int64_t> dim_;
};

}  // namespace

std::unique_ptr<const Layer> MakeSoftmax(SoftmaxKind kind, AttributeReader& reader) {
  return std::make_unique<Softmax>(kind, reader);
}

}  // namespace lazynet::nn
