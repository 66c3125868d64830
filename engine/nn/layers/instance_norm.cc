#include "engine/nn/layers/instance_norm.h"

#include <algorithm>

#include "engine/nn/layers/norm.h"
#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

class InstanceNorm : public Norm {
 public:
  InstanceNorm(int axes, AttributeReader& reader)
      : Norm(reader, reader.Size("num_features"), !reader.Has("num_features")), axes_(axes) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    RETURN_IF_ERROR(CheckSpatialInput(input, axes_));
    const int64_t channels = input.dim(ChannelAxis(axes_));
    if (channels == 0) return InvalidArgument("wants num_features of at least 1, got 0");
    // Without affine and statistics PyTorch takes any number of channels, whatever was declared.
    if (affine() || tracks()) RETURN_IF_ERROR(Resolve(0, channels, sizes));
    const auto spatial = input.dims().last(static_cast<size_t>(axes_));
    const bool single =
        std::all_of(spatial.begin(), spatial.end(), [](int64_t d) { return d == 1; });
    if (!tracks() && single) {
      return InvalidArgument("wants more than 1 spatial element without running stats, got {}",
                             input.ToString());
    }
    return input;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = Batched(lowering, lowering.input(0), axes_);
    const auto dst = LowerNorm(lowering, src, backend::Normalization::Statistics::kPerInstance);
    return Unbatched(lowering, dst, axes_);
  }

 private:
  int axes_;
};

}  // namespace

std::unique_ptr<const Layer> MakeInstanceNorm(int axes, AttributeReader& reader) {
  return std::make_unique<InstanceNorm>(axes, reader);
}

}  // namespace lazynet::nn
