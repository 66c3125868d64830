#include "engine/nn/layers/adaptive_pooling.h"

#include <algorithm>
#include <utility>

#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

using backend::AxisVector;

class AdaptivePool : public Layer {
 public:
  AdaptivePool(backend::OpKind op, int axes, AttributeReader& reader)
      : op_(std::move(op)),
        axes_(axes),
        output_size_(reader.RequiredPerAxis("output_size", axes, -1)) {
    reader.Require(std::find(output_size_.begin(), output_size_.end(), 0) == output_size_.end(),
                   "argument output_size wants at least 1 (or -1 to keep the input's), got 0");
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& input = inputs[0];
    RETURN_IF_ERROR(CheckSpatialInput(input, axes_));
    return Output(input);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = Batched(lowering, lowering.input(0), axes_);
    return Unbatched(lowering, lowering.Add(op_, {src}, Output(lowering.shape(src))), axes_);
  }

  std::string Arguments(const Sizes&) const override {
    const bool same = std::all_of(output_size_.begin(), output_size_.end(),
                                  [&](int64_t size) { return size == output_size_[0]; });
    const auto text = [](int64_t size) { return size < 0 ? "None" : std::to_string(size); };
    if (same) return "output_size=" + text(output_size_[0]);
    std::string sizes;
    for (int64_t size : output_size_) sizes += (sizes.empty() ? "" : ", ") + text(size);
    return "output_size=(" + sizes + ")";
  }

 private:
  Shape Output(const Shape& input) const {
    AxisVector spatial;
    for (int i = 0; i < axes_; ++i) {
      const int64_t size = output_size_[static_cast<size_t>(i)];
      spatial.push_back(size < 0 ? input.dim(i - axes_) : size);
    }
    return WithSpatial(input, axes_, input.dim(ChannelAxis(axes_)), spatial);
  }

  backend::OpKind op_;
  int axes_;
  AxisVector output_size_;
};

}  // namespace

std::unique_ptr<const Layer> MakeAdaptiveAvgPool(int axes, AttributeReader& reader) {
  return std::make_unique<AdaptivePool>(backend::AdaptiveAveragePooling{}, axes, reader);
}

std::unique_ptr<const Layer> MakeAdaptiveMaxPool(int axes, AttributeReader& reader) {
  return std::make_unique<AdaptivePool>(backend::AdaptiveMaxPooling{}, axes, reader);
}

}  // namespace lazynet::nn
