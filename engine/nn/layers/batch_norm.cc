#include "engine/nn/layers/batch_norm.h"

#include "engine/nn/layers/norm.h"

namespace lazynet::nn {
namespace {

class BatchNorm : public Norm {
 public:
  BatchNorm(int axes, AttributeReader& reader)
      : Norm(reader, reader.Size("num_features"), true), axes_(axes) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    const bool flat = axes_ == 1 && input.rank() == 2;
    if (input.rank() != axes_ + 2 && !flat) {
      return InvalidArgument("wants a rank of {}, got shape {}",
                             axes_ == 1   ? "2 or 3"
                             : axes_ == 2 ? "4"
                                          : "5",
                             input.ToString());
    }
    const int64_t channels = input.dim(1);
    if (channels == 0) return InvalidArgument("wants num_features of at least 1, got 0");
    if (!sizes.empty()) RETURN_IF_ERROR(Resolve(0, channels, sizes));
    // PyTorch refuses batch statistics of a single value, also in eval mode.
    if (!tracks() && !input.has_unknown_dim() && input.num_elements() == channels) {
      return InvalidArgument("wants more than 1 value per channel without running stats, got {}",
                             input.ToString());
    }
    Shape output = input;
    if (!sizes.empty()) output.set_dim(1, sizes[0]);
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    return LowerNorm(lowering, lowering.input(0), backend::Normalization::Statistics::kPerBatch);
  }

 private:
  int axes_;
};

}  // namespace

std::unique_ptr<const Layer> MakeBatchNorm(int axes, AttributeReader& reader) {
  return std::make_unique<BatchNorm>(axes, reader);
}

}  // namespace lazynet::nn
