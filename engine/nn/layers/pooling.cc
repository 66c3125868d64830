#include "engine/nn/layers/pooling.h"

#include <string>
#include <utility>

#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

using backend::AxisVector;
using Kind = backend::Pooling::Kind;

class Pool : public Layer {
 public:
  Pool(Kind kind, int axes, AttributeReader& reader) : axes_(axes) {
    op_.kind = kind;
    op_.kernel = reader.RequiredPerAxis("kernel_size", axes, 1);
    op_.strides = reader.OptionalPerAxis("stride", axes, 1).value_or(op_.kernel);
    op_.padding = reader.PerAxis("padding", axes, 0, 0);
    op_.dilations = AxisVector(static_cast<size_t>(axes), 1);
    ceil_mode_ = reader.Bool("ceil_mode", false);
    if (kind == Kind::kMax) {
      op_.dilations = reader.PerAxis("dilation", axes, 1, 1);
    } else {
      op_.count_include_pad = reader.Bool("count_include_pad", true);
      if (axes > 1) op_.divisor_override = reader.OptionalInt("divisor_override");
      reader.Require(op_.divisor_override != 0, "argument divisor_override wants not 0");
    }
    for (size_t i = 0; i < op_.kernel.size(); ++i) {
      reader.Require(2 * op_.padding[i] <= op_.kernel[i],
                     fmt::format("argument padding wants at most half of kernel_size {}, got {}",
                                 op_.kernel[i], op_.padding[i]));
    }
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& input = inputs[0];
    RETURN_IF_ERROR(CheckSpatialInput(input, axes_));
    if (input.dim(ChannelAxis(axes_)) == 0) {
      return InvalidArgument("wants at least 1 channel, got shape {}", input.ToString());
    }
    AxisVector spatial;
    for (int i = 0; i < axes_; ++i) {
      ASSIGN_OR_RETURN(const int64_t count,
                       OutputSize(input.dim(i - axes_), static_cast<size_t>(i)));
      spatial.push_back(count);
    }
    return WithSpatial(input, axes_, input.dim(ChannelAxis(axes_)), spatial);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = Batched(lowering, lowering.input(0), axes_);
    return Unbatched(lowering, AddPooling(lowering, src), axes_);
  }

  std::string Arguments(const Sizes&) const override {
    if (op_.kind == Kind::kMax) {
      return fmt::format("kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={}",
                         Short(op_.kernel), Short(op_.strides), Short(op_.padding),
                         Short(op_.dilations), PythonBool(ceil_mode_));
    }
    return axes_ == 1 ? fmt::format("kernel_size={}, stride={}, padding={}", Tuple(op_.kernel),
                                    Tuple(op_.strides), Tuple(op_.padding))
                      : fmt::format("kernel_size={}, stride={}, padding={}", Short(op_.kernel),
                                    Short(op_.strides), Short(op_.padding));
  }

 protected:
  const backend::Pooling& op() const { return op_; }
  int axes() const { return axes_; }
  bool ceil_mode() const { return ceil_mode_; }

  // `src` is batched.
  backend::ValueId AddPooling(Lowering& lowering, backend::ValueId src) const {
    const Shape input = lowering.shape(src);
    AxisVector spatial;
    for (int i = 0; i < axes_; ++i) {
      spatial.push_back(*OutputSize(input.dim(i - axes_), static_cast<size_t>(i)));
    }
    return lowering.Add(op_, {src}, WithSpatial(input, axes_, input.dim(1), spatial));
  }

  // One number when all axes agree, as the user most likely wrote it.
  static std::string Short(const AxisVector& values) {
    for (int64_t value : values) {
      if (value != values[0]) return Tuple(values);
    }
    return std::to_string(values[0]);
  }

 private:
  // In ceil mode a window may stick out, but not start beyond the input and its left padding.
  absl::StatusOr<int64_t> OutputSize(int64_t size, size_t i) const {
    const int64_t stride = op_.strides[i];
    const int64_t pads = 2 * op_.padding[i];
    ASSIGN_OR_RETURN(int64_t count, WindowCount(size, pads + (ceil_mode_ ? stride - 1 : 0),
                                                op_.kernel[i], op_.dilations[i], stride));
    if (count == kUnknownDim) return count;
    if (ceil_mode_ && (count - 1) * stride >= size + op_.padding[i]) --count;
    if (count < 1) {
      return InvalidArgument("wants an output of at least 1, got 0 from an input of {}", size);
    }
    return count;
  }

  int axes_;
  bool ceil_mode_ = false;
  backend::Pooling op_;
};

// Sums come from averages, which in ceil mode are of what a window has inside, times the whole
// window, as in PyTorch.
class LpPool : public Pool {
 public:
  LpPool(int axes, AttributeReader& reader)
      : Pool(Kind::kAverage, axes, reader), p_(reader.Double("norm_type", 0)) {
    reader.Require(reader.Has("norm_type"), "argument norm_type is missing");
    reader.Require(p_ != 0, "argument norm_type wants not 0");
  }

  OutputValues Lower(Lowering& lowering) const override {
    auto value = Batched(lowering, lowering.input(0), axes());
    value = AddPooling(lowering, Power(lowering, value, p_));
    double window = 1;
    for (const int64_t size : op().kernel) window *= static_cast<double>(size);
    const backend::Eltwise times{backend::Eltwise::Algorithm::kLinear, window, 0};
    value = lowering.Add(times, {value}, lowering.shape(value));
    return Unbatched(lowering, Power(lowering, value, 1 / p_), axes());
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("norm_type={}, kernel_size={}, stride={}, ceil_mode={}", PythonFloat(p_),
                       Short(op().kernel), Short(op().strides), PythonBool(ceil_mode()));
  }

 private:
  static backend::ValueId Power(Lowering& lowering, backend::ValueId value, double exponent) {
    using Algorithm = backend::Binary::Algorithm;
    const Shape shape = lowering.shape(value);
    if (exponent == 1) return value;
    if (exponent == 2) return lowering.Add(backend::Binary{Algorithm::kMul}, {value, value}, shape);
    if (exponent == 0.5) {
      return lowering.Add(backend::Eltwise{backend::Eltwise::Algorithm::kSqrt}, {value}, shape);
    }
    const auto power = lowering.Scalar(exponent, lowering.dtype_of(value));
    return lowering.Add(backend::Binary{Algorithm::kPow}, {value, power}, shape);
  }

  double p_;
};

}  // namespace

std::unique_ptr<const Layer> MakeMaxPool(int axes, AttributeReader& reader) {
  return std::make_unique<Pool>(Kind::kMax, axes, reader);
}

std::unique_ptr<const Layer> MakeAvgPool(int axes, AttributeReader& reader) {
  return std::make_unique<Pool>(Kind::kAverage, axes, reader);
}

std::unique_ptr<const Layer> MakeLpPool(int axes, AttributeReader& reader) {
  return std::make_unique<LpPool>(axes, reader);
}

}  // namespace lazynet::nn
