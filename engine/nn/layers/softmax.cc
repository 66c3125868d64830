#include "engine/nn/layers/softmax.h"

#include <optional>

namespace lazynet::nn {
namespace {

class Softmax : public Layer {
 public:
  Softmax(bool log, AttributeReader& reader) : log_(log), dim_(reader.OptionalInt("dim")) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& input = inputs[0];
    const int64_t rank = std::max(input.rank(), 1);
    if (dim_ && (*dim_ < -rank || *dim_ >= rank)) {
      return InvalidArgument("wants a rank that has dim {}, got shape {}", *dim_, input.ToString());
    }
    return input;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    const Shape shape = lowering.shape(src);
    const backend::Softmax op{.axis = Axis(shape.rank()), .log = log_};
    if (shape.rank() > 0) return lowering.Add(op, {src}, shape);
    const auto dst = lowering.Add(op, {lowering.Reshape(src, Shape{1})}, Shape{1});
    return lowering.Reshape(dst, shape);
  }

  std::string Arguments(const Sizes&) const override {
    return dim_ ? fmt::format("dim={}", *dim_) : "dim=None";
  }

 private:
  int Axis(int rank) const {
    if (!dim_) return rank == 0 || rank == 1 || rank == 3 ? 0 : 1;
    return static_cast<int>(*dim_ < 0 ? *dim_ + std::max(rank, 1) : *dim_);
  }

  bool log_;
  std::optional<int64_t> dim_;
};

}  // namespace

std::unique_ptr<const Layer> MakeSoftmax(bool log, AttributeReader& reader) {
  return std::make_unique<Softmax>(log, reader);
}

}  // namespace lazynet::nn
