#include "engine/nn/layers/padding.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/dims.h"
#include "engine/nn/number.h"
#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

using Mode = backend::Pad::Mode;

// What happens at the two ends of an axis.
struct Ends {
  int64_t before = 0;
  int64_t after = 0;

  int64_t added_before() const { return std::max<int64_t>(before, 0); }
  int64_t added_after() const { return std::max<int64_t>(after, 0); }
  int64_t cropped_before() const { return std::max<int64_t>(-before, 0); }
  int64_t cropped_after() const { return std::max<int64_t>(-after, 0); }
};

class Padding : public ShapeLayer {
 public:
  // `pad` has pairs, of the last axis first.
  Padding(Mode mode, std::vector<int64_t> pad, double value, std::string arguments)
      : mode_(mode), value_(value), arguments_(std::move(arguments)) {
    for (size_t i = 0; i + 1 < pad.size(); i += 2) ends_.push_back({pad[i], pad[i + 1]});
    std::reverse(ends_.begin(), ends_.end());
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (mode_ == Mode::kConstant) RETURN_IF_ERROR(CheckHolds(inputs[0], value_));
    return inputs[0];
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& input = inputs[0];
    const int axes = static_cast<int>(ends_.size());
    if (mode_ != Mode::kConstant) {
      RETURN_IF_ERROR(CheckSpatialInput(input, axes));
    } else if (input.rank() < axes) {
      return InvalidArgument("wants a rank of at least {}, got shape {}", axes, input.ToString());
    }
    Shape output = input;
    Shape padded = input;  // what is cropped last
    for (int i = 0; i < axes; ++i) {
      const Ends& ends = ends_[static_cast<size_t>(i)];
      const int64_t size = input.dim(i - axes);
      if (size == kUnknownDim) continue;
      RETURN_IF_ERROR(CheckEnds(ends, size, input));
      output.set_dim(i - axes, size + ends.before + ends.after);
      padded.set_dim(i - axes, size + ends.added_before() + ends.added_after());
    }
    RETURN_IF_ERROR(CheckPartialBounds(CropsFirst() ? output.dims() : padded.dims()));
    return output;
  }

  // A mirror shows what is cropped at the other end; a circle is closed behind the crop.
  OutputValues Lower(Lowering& lowering) const override {
    const auto value = lowering.input(0);
    if (CropsFirst()) return Add(lowering, Crop(lowering, value));
    return Crop(lowering, Add(lowering, value));
  }

  std::string Arguments(const Sizes&) const override { return arguments_; }

 private:
  bool CropsFirst() const { return mode_ == Mode::kConstant || mode_ == Mode::kCircular; }

  absl::Status CheckEnds(const Ends& ends, int64_t size, const Shape& input) const {
    const int64_t largest = std::max(ends.before, ends.after);
    if (mode_ == Mode::kReflect && largest >= size) {
      return InvalidArgument("mode reflect wants padding below the size {}, got {} for shape {}",
                             size, largest, input.ToString());
    }
    // What is put around an axis is made of what is left of it.
    const int64_t left = size - ends.cropped_before() - ends.cropped_after();
    if (mode_ == Mode::kCircular && largest > std::max<int64_t>(left, 0)) {
      return InvalidArgument(
          "mode circular wants padding within what is left of the axis, {}, got {} for shape {}",
          std::max<int64_t>(left, 0), largest, input.ToString());
    }
    const int64_t result = size + ends.before + ends.after;
    const int64_t least = CropsFirst() ? 0 : 1;
    if ((CropsFirst() ? left : result) < least) {
      return InvalidArgument("wants padding ({}, {}) to leave a size of at least {}, got shape {}",
                             ends.before, ends.after, least, input.ToString());
    }
    return absl::OkStatus();
  }

  backend::ValueId Crop(Lowering& lowering, backend::ValueId value) const {
    const Shape shape = lowering.shape(value);
    const int first = shape.rank() - static_cast<int>(ends_.size());
    for (size_t i = 0; i < ends_.size(); ++i) {
      const Ends& ends = ends_[i];
      const int axis = first + static_cast<int>(i);
      const int64_t size = shape.dim(axis) - ends.cropped_before() - ends.cropped_after();
      value = SliceAxis(lowering, value, axis, ends.cropped_before(), size);
    }
    return value;
  }

  backend::ValueId Add(Lowering& lowering, backend::ValueId value) const {
    Shape shape = lowering.shape(value);
    const auto front = static_cast<size_t>(shape.rank()) - ends_.size();
    backend::Pad pad{.mode = mode_,
                     .before = backend::AxisVector(front, 0),
                     .after = backend::AxisVector(front, 0),
                     .value = value_};
    for (size_t i = 0; i < ends_.size(); ++i) {
      pad.before.push_back(ends_[i].added_before());
      pad.after.push_back(ends_[i].added_after());
      const int axis = static_cast<int>(front + i);
      shape.set_dim(axis, shape.dim(axis) + pad.before.back() + pad.after.back());
    }
    if (shape == lowering.shape(value)) return value;
    return lowering.Add(std::move(pad), {value}, std::move(shape));
  }

  Mode mode_;
  double value_;
  std::string arguments_;
  std::vector<Ends> ends_;  // of the last axes, in their order
};

void CheckNumbers(AttributeReader& reader, std::string_view name,
                  const std::vector<int64_t>& numbers) {
  for (const int64_t number : numbers) {
    reader.Require(
        number >= -kMaxDim && number <= kMaxDim,
        fmt::format("argument {} wants {} to {}, got {}", name, -kMaxDim, kMaxDim, number));
  }
}

Mode ModeOf(AttributeReader& reader, std::string_view mode) {
  if (mode == "reflect") return Mode::kReflect;
  if (mode == "replicate") return Mode::kReplicate;
  if (mode == "circular") return Mode::kCircular;
  reader.Require(
      mode == "constant" || mode == "zero",
      fmt::format("argument mode wants constant, reflect, replicate or circular, got {}", mode));
  return Mode::kConstant;
}

}  // namespace

std::unique_ptr<const Layer> MakePadding(std::string_view mode, int axes, AttributeReader& reader) {
  std::vector<int64_t> padding = reader.Ints("padding");
  const size_t wanted = 2 * static_cast<size_t>(axes);
  reader.Require(
      padding.size() == 1 || padding.size() == wanted,
      fmt::format("argument padding wants 1 or {} numbers, got {}", wanted, padding.size()));
  CheckNumbers(reader, "padding", padding);
  if (padding.size() == 1) padding.resize(wanted, padding.front());
  const double value = mode == "constant" ? reader.Double("value", 0) : 0;
  std::string arguments =
      mode == "constant" ? fmt::format("padding={}, value={}", Tuple(padding), PythonFloat(value))
                         : Tuple(padding);
  return std::make_unique<Padding>(ModeOf(reader, mode), std::move(padding), value,
                                   std::move(arguments));
}

std::unique_ptr<const Layer> MakePad(AttributeReader& reader) {
  std::vector<int64_t> pad = reader.Ints("pad");
  const std::string mode = reader.String("mode", "constant");
  const double value = reader.Double("value", 0);
  const size_t most = 2 * (mode == "constant" ? static_cast<size_t>(kMaxRank) : 3);
  reader.Require(!pad.empty() && pad.size() % 2 == 0 && pad.size() <= most,
                 fmt::format("argument pad wants an even number of at most {} numbers, got {}",
                             most, pad.size()));
  CheckNumbers(reader, "pad", pad);
  reader.Require(mode != "zero", "argument mode wants constant, reflect, replicate or circular");
  std::string arguments =
      fmt::format("pad={}, mode={}, value={}", Tuple(pad), mode, PythonFloat(value));
  return std::make_unique<Padding>(ModeOf(reader, mode), std::move(pad), value,
                                   std::move(arguments));
}

}  // namespace lazynet::nn
