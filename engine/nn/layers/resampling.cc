#include "engine/nn/layers/resampling.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

using Mode = backend::Resampling::Mode;

struct ResamplingArguments {
  std::string mode = "nearest";
  std::optional<std::vector<DimExpression>> size;
  std::vector<double> scale_factor;
  bool align_corners = false;
  bool recompute = false;
  bool antialias = false;
  bool images_only = false;  // rank 4
};

// What a mode is, and the number of spatial axes it takes.
struct ModeFacts {
  Mode mode = Mode::kNearest;
  int least_axes = 1;
  int most_axes = 3;
  bool aligns = false;  // has align_corners
};

std::optional<ModeFacts> FactsOf(const std::string& mode, bool antialias) {
  if (mode == "nearest") return ModeFacts{Mode::kNearest};
  if (mode == "nearest-exact") return ModeFacts{Mode::kNearestExact};
  if (mode == "area") return ModeFacts{};
  if (mode == "linear") return ModeFacts{Mode::kLinear, 1, 1, true};
  if (mode == "bilinear") {
    return ModeFacts{antialias ? Mode::kAntialiasedLinear : Mode::kLinear, 2, 2, true};
  }
  if (mode == "trilinear") return ModeFacts{Mode::kLinear, 3, 3, true};
  if (mode == "bicubic") {
    return ModeFacts{antialias ? Mode::kAntialiasedCubic : Mode::kCubic, 2, 2, true};
  }
  return std::nullopt;
}

class Resampling : public SizedShapeLayer {
 public:
  explicit Resampling(ResamplingArguments arguments)
      : arguments_(std::move(arguments)),
        facts_(FactsOf(arguments_.mode, arguments_.antialias).value_or(ModeFacts())) {
    if (arguments_.images_only) facts_.least_axes = facts_.most_axes = 2;
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    const bool bytes = inputs[0] == DType::kUint8 && arguments_.mode.starts_with("nearest");
    if (IsFloating(inputs[0]) || bytes) return inputs[0];
    return InvalidArgument("wants a floating dtype{}, got {}",
                           arguments_.mode.starts_with("nearest") ? " or UINT8" : "",
                           Name(inputs[0]));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return Output(inputs);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const std::vector<Shape> inputs = InputShapes(lowering);
    const Shape output = *Output(inputs);
    const auto src = lowering.input(0);
    if (arguments_.mode == "area") {
      return lowering.Add(backend::AdaptiveAveragePooling{}, {src}, output);
    }
    backend::Resampling op{.mode = facts_.mode, .align_corners = arguments_.align_corners};
    for (int axis = 2; axis < output.rank(); ++axis) {
      op.scales.push_back(ScaleOf(inputs[0].dim(axis), output.dim(axis), axis - 2));
    }
    if (lowering.dtype_of(src) != DType::kUint8) return lowering.Add(std::move(op), {src}, output);
    // FP32 holds every UINT8, and nearest ones are copied.
    const auto wide = lowering.Cast(src, DType::kFp32);
    return lowering.Cast(lowering.Add(std::move(op), {wide}, output), DType::kUint8);
  }

  std::string Arguments(const Sizes&) const override {
    std::string text;
    if (arguments_.size) {
      text = "size=" + Text(*arguments_.size);
    } else {
      for (const double factor : arguments_.scale_factor) {
        text += (text.empty() ? "" : ", ") + PythonFloat(factor);
      }
      text = "scale_factor=" + (arguments_.scale_factor.size() == 1 ? text : "(" + text + ")");
    }
    return text + ", mode=" + arguments_.mode;
  }

 private:
  absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const {
    const Shape& input = inputs[0];
    const int axes = input.rank() - 2;
    if (axes < facts_.least_axes || axes > facts_.most_axes) {
      return InvalidArgument(
          "mode {} wants a rank of {}, got shape {}", arguments_.mode,
          facts_.least_axes == facts_.most_axes ? std::to_string(facts_.least_axes + 2) : "3 to 5",
          input.ToString());
    }
    const size_t given = arguments_.size ? arguments_.size->size() : arguments_.scale_factor.size();
    if (given != 1 && given != static_cast<size_t>(axes)) {
      return InvalidArgument("wants a shape of {} spatial dims for {} numbers, got {}", given,
                             given, input.ToString());
    }
    for (int axis = 1; axis < input.rank(); ++axis) {
      if (input.dim(axis) == 0) {
        return InvalidArgument("wants channels and spatial dims of at least 1, got shape {}",
                               input.ToString());
      }
    }
    std::vector<Size> sizes;
    if (arguments_.size) {
      ASSIGN_OR_RETURN(sizes, Evaluate(*arguments_.size, inputs));
    }
    Shape output = input;
    for (int i = 0; i < axes; ++i) {
      const int64_t have = input.dim(i + 2);
      Size size;
      if (arguments_.size) {
        size = sizes[given == 1 ? 0 : static_cast<size_t>(i)];
      } else if (have != kUnknownDim) {
        const double product = std::floor(static_cast<double>(have) * FactorOf(i));
        size = static_cast<int64_t>(std::min(product, static_cast<double>(kMaxDim) + 1));
      }
      if (size && *size < 1) {
        return InvalidArgument("wants spatial dims of at least 1, got {} from shape {}", *size,
                               input.ToString());
      }
      output.set_dim(i + 2, DimOf(size));
    }
    RETURN_IF_ERROR(CheckPartialBounds(output.dims()));
    return output;
  }

  double FactorOf(int axis) const {
    const auto& factors = arguments_.scale_factor;
    return factors[factors.size() == 1 ? 0 : static_cast<size_t>(axis)];
  }

  // A factor stays the scale of the coordinates although the size is rounded.
  double ScaleOf(int64_t src, int64_t dst, int axis) const {
    if (arguments_.align_corners) {
      return dst > 1 ? static_cast<double>(src - 1) / static_cast<double>(dst - 1) : 0;
    }
    if (arguments_.size || arguments_.recompute) {
      return static_cast<double>(src) / static_cast<double>(dst);
    }
    return 1 / FactorOf(axis);
  }

  ResamplingArguments arguments_;
  ModeFacts facts_;
};

void ReadSizes(AttributeReader& reader, ResamplingArguments& arguments) {
  arguments.size = reader.Expressions("size");
  arguments.scale_factor = reader.Doubles("scale_factor");
  reader.Require(
      arguments.size.has_value() != !arguments.scale_factor.empty(),
      fmt::format("wants one of size and scale_factor, got {}", arguments.size ? "both" : "none"));
  reader.Require(!arguments.size || !arguments.size->empty(), "argument size wants a number");
  for (const double factor : arguments.scale_factor) {
    reader.Require(factor > 0 && factor <= static_cast<double>(kMaxDim),
                   fmt::format("argument scale_factor wants more than 0 and at most {}, got {}",
                               kMaxDim, factor));
  }
}

}  // namespace

std::unique_ptr<const Layer> MakeUpsample(AttributeReader& reader) {
  ResamplingArguments arguments;
  ReadSizes(reader, arguments);
  arguments.mode = reader.String("mode", "nearest");
  arguments.align_corners = reader.Bool("align_corners", false);
  arguments.recompute = reader.Bool("recompute_scale_factor", false);
  arguments.antialias = reader.Bool("antialias", false);
  const auto facts = FactsOf(arguments.mode, arguments.antialias);
  reader.Require(facts.has_value(),
                 fmt::format("argument mode wants nearest, nearest-exact, linear, bilinear, "
                             "bicubic, trilinear or area, got {}",
                             arguments.mode));
  reader.Require(!reader.Has("align_corners") || !facts || facts->aligns,
                 fmt::format("mode {} wants no align_corners", arguments.mode));
  reader.Require(
      !arguments.antialias || arguments.mode == "bilinear" || arguments.mode == "bicubic",
      fmt::format("antialias wants mode bilinear or bicubic, got {}", arguments.mode));
  reader.Require(!arguments.recompute || !arguments.size,
                 "recompute_scale_factor wants a scale_factor, got a size");
  return std::make_unique<Resampling>(std::move(arguments));
}

std::unique_ptr<const Layer> MakeUpsampling2d(const char* mode, AttributeReader& reader) {
  ResamplingArguments arguments{.mode = mode};
  ReadSizes(reader, arguments);
  arguments.images_only = true;
  arguments.align_corners = arguments.mode == "bilinear";
  return std::make_unique<Resampling>(std::move(arguments));
}

}  // namespace lazynet::nn
