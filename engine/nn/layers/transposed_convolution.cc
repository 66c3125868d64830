#include "engine/nn/layers/transposed_convolution.h"

#include <algorithm>
#include <string>

#include "engine/nn/layers/convolution_base.h"
#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

using backend::AxisVector;

class TransposedConvolution : public ConvolutionBase {
 public:
  TransposedConvolution(int axes, AttributeReader& reader)
      : ConvolutionBase(axes, WeightLayout::kInputFirst, reader),
        output_padding_(reader.PerAxis("output_padding", axes, 0, 0)),
        op_{.strides = strides(),
            .dilations = dilations(),
            .padding = reader.PerAxis("padding", axes, 0, 0)} {
    const std::string padding_mode = reader.String("padding_mode", "zeros");
    reader.Require(padding_mode == "zeros",
                   fmt::format("argument padding_mode wants zeros, got {}", padding_mode));
    for (size_t i = 0; i < output_padding_.size(); ++i) {
      const int64_t limit = std::max(op_.strides[i], op_.dilations[i]);
      reader.Require(output_padding_[i] < limit,
                     fmt::format("argument output_padding wants less than the larger of stride and "
                                 "dilation, {}, got {}",
                                 limit, output_padding_[i]));
    }
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    RETURN_IF_ERROR(InferChannels(input, sizes));
    const AxisVector spatial = OutputSpatial(input);
    for (int i = 0; i < axes(); ++i) {
      const int64_t size = spatial[static_cast<size_t>(i)];
      if (input.dim(i - axes()) != kUnknownDim && size < 1) {
        return InvalidArgument("wants an output of at least 1, got {} from shape {}", size,
                               input.ToString());
      }
    }
    return WithSpatial(input, axes(), out_channels(), spatial);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = Batched(lowering, lowering.input(0), axes());
    const Shape input = lowering.shape(src);
    backend::Deconvolution op = op_;
    op.groups = groups(input);
    const auto dst = lowering.Add(op, OpInputs(lowering, src),
                                  WithSpatial(input, axes(), out_channels(), OutputSpatial(input)));
    return Unbatched(lowering, dst, axes());
  }

  std::string Arguments(const Sizes& sizes) const override {
    return ArgumentsWith(sizes, Unless(0, "padding", op_.padding),
                         Unless(0, "output_padding", output_padding_));
  }

 private:
  // (L - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1
  AxisVector OutputSpatial(const Shape& input) const {
    AxisVector spatial;
    for (int i = 0; i < axes(); ++i) {
      const auto at = static_cast<size_t>(i);
      const int64_t size = input.dim(i - axes());
      if (size == kUnknownDim) {
        spatial.push_back(kUnknownDim);
        continue;
      }
      spatial.push_back((size - 1) * op_.strides[at] - 2 * op_.padding[at] +
                        op_.dilations[at] * (kernel()[at] - 1) + output_padding_[at] + 1);
    }
    return spatial;
  }

  AxisVector output_padding_;
  backend::Deconvolution op_;
};

}  // namespace

std::unique_ptr<const Layer> MakeTransposedConvolution(int axes, AttributeReader& reader) {
  return std::make_unique<TransposedConvolution>(axes, reader);
}

}  // namespace lazynet::nn
