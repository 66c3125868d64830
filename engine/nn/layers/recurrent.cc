#include "engine/nn/layers/recurrent.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/fitting.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;
using Cell = backend::Recurrent::Cell;

class Recurrent : public Layer {
 public:
  Recurrent(Cell cell, AttributeReader& reader)
      : cell_(cell),
        hidden_size_(reader.RequiredInt("hidden_size", 1)),
        num_layers_(reader.Int("num_layers", 1)),
        bias_(reader.Bool("bias", true)),
        batch_first_(reader.Bool("batch_first", false)),
        dropout_(reader.Double("dropout", 0)),
        directions_(reader.Bool("bidirectional", false) ? 2 : 1),
        proj_size_(cell == Cell::kLstm ? reader.Int("proj_size", 0) : 0) {
    reader.Require(
        num_layers_ >= 1 && num_layers_ <= kMaxLayers,
        fmt::format("argument num_layers wants 1 to {}, got {}", kMaxLayers, num_layers_));
    reader.Require(dropout_ >= 0 && dropout_ <= 1,
                   fmt::format("argument dropout wants 0 to 1, got {}", dropout_));
    reader.Require(proj_size_ >= 0 && proj_size_ < hidden_size_,
                   fmt::format("argument proj_size wants 0 to less than hidden_size {}, got {}",
                               hidden_size_, proj_size_));
    if (num_layers_ > kMaxLayers) num_layers_ = 1;
    const int input_size = AddSize("input_size", reader.Size("input_size"));
    for (int64_t layer = 0; layer < num_layers_; ++layer) {
      for (int64_t direction = 0; direction < directions_; ++direction) {
        AddWeights(layer, direction,
                   layer == 0 ? Extent::OfSize(input_size) : Extent::Of(directions_ * state()));
      }
    }
  }

  Arity arity() const override { return {.least = 1, .most = lstm() ? 3 : 2}; }

  std::vector<std::string> output_names() const override {
    if (lstm()) return {"output", "h_n", "c_n"};
    return {"output", "h_n"};
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    if (lstm() && inputs.size() == 2) {
      return InvalidArgument("wants both initial states, h_0 and c_0, or none, got 1");
    }
    const Shape& input = inputs[0];
    if (input.rank() != 2 && input.rank() != 3) {
      return InvalidArgument("wants a rank of 2 (unbatched) or 3, got shape {}", input.ToString());
    }
    if (input.dim(input.rank() == 3 && batch_first_ ? 1 : 0) == 0) {
      return InvalidArgument("wants at least 1 step, got shape {}", input.ToString());
    }
    RETURN_IF_ERROR(Resolve(0, input.dim(-1), sizes));
    Shape output = input;
    output.set_dim(-1, directions_ * state());
    const Shape hidden = StateShape(input, state());
    OutputShapes outputs{output, hidden};
    if (lstm()) outputs.push_back(StateShape(input, hidden_size_));
    for (size_t i = 1; i < inputs.size(); ++i) {
      if (!MayEqual(inputs[i], outputs[i])) {
        return InvalidArgument("wants an initial state of shape {}, got {}", outputs[i].ToString(),
                               inputs[i].ToString());
      }
    }
    return outputs;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape input = lowering.shape(lowering.input(0));
    ValueId value = SequenceFirst(lowering, lowering.input(0));
    std::vector<ValueId> hidden;
    std::vector<ValueId> cells;
    for (int64_t layer = 0; layer < num_layers_; ++layer) {
      std::vector<ValueId> both;
      for (int64_t direction = 0; direction < directions_; ++direction) {
        Run run = RunDirection(lowering, value, layer * directions_ + direction, direction == 1);
        both.push_back(run.output);
        hidden.push_back(run.hidden);
        cells.push_back(run.cell);
      }
      value = Joined(lowering, both, 2);
    }
    const Shape sequence = lowering.shape(value);
    if (input.rank() == 3 && batch_first_) {
      value = lowering.Add(backend::Permute{{1, 0, 2}}, {value},
                           Shape{sequence.dim(1), sequence.dim(0), sequence.dim(2)});
    } else if (input.rank() == 2) {
      value = lowering.Reshape(value, Shape{sequence.dim(0), sequence.dim(2)});
    }
    OutputValues outputs{value, States(lowering, hidden, state())};
    if (lstm()) outputs.push_back(States(lowering, cells, hidden_size_));
    return outputs;
  }

  // As PyTorch prints it; the nonlinearity of an RNN is not shown.
  std::string Arguments(const Sizes& sizes) const override {
    std::string text = fmt::format("{}, {}", ReprSize(sizes, 0), hidden_size_);
    if (proj_size_ != 0) text += fmt::format(", proj_size={}", proj_size_);
    if (num_layers_ != 1) text += fmt::format(", num_layers={}", num_layers_);
    if (!bias_) text += ", bias=False";
    if (batch_first_) text += ", batch_first=True";
    if (dropout_ != 0) text += fmt::format(", dropout={}", dropout_);
    if (directions_ == 2) text += ", bidirectional=True";
    return text;
  }

 private:
  static constexpr int64_t kMaxLayers = 1024;

  bool lstm() const { return cell_ == Cell::kLstm; }

  // Size of the hidden state: P.
  int64_t state() const { return proj_size_ > 0 ? proj_size_ : hidden_size_; }

  int64_t WeightsPerDirection() const { return 2 + (bias_ ? 2 : 0) + (proj_size_ > 0 ? 1 : 0); }

  void AddWeights(int64_t layer, int64_t direction, Extent input) {
    const std::string suffix = fmt::format("_l{}{}", layer, direction == 1 ? "_reverse" : "");
    const Extent gates = Extent::Of(GateCount(cell_) * hidden_size_);
    const auto add = [&](const char* name, std::vector<Extent> extents) {
      AddParameter({.name = name + suffix,
                    .extents = std::move(extents),
                    .initial = {.kind = InitialValue::Kind::kUniform,
                                .value = 1.0 / std::sqrt(static_cast<double>(hidden_size_))}});
    };
    add("weight_ih", {gates, input});
    add("weight_hh", {gates, Extent::Of(state())});
    if (bias_) {
      add("bias_ih", {gates});
      add("bias_hh", {gates});
    }
    if (proj_size_ > 0) add("weight_hr", {Extent::Of(proj_size_), Extent::Of(hidden_size_)});
  }

  Shape StateShape(const Shape& input, int64_t size) const {
    const int64_t rows = directions_ * num_layers_;
    if (input.rank() == 2) return Shape{rows, size};
    return Shape{rows, input.dim(batch_first_ ? 0 : 1), size};
  }

  // The input as [T, N, I].
  ValueId SequenceFirst(Lowering& lowering, ValueId input) const {
    const Shape shape = lowering.shape(input);
    if (shape.rank() == 2) return lowering.Reshape(input, Shape{shape.dim(0), 1, shape.dim(1)});
    if (!batch_first_) return input;
    return lowering.Add(backend::Permute{{1, 0, 2}}, {input},
                        Shape{shape.dim(1), shape.dim(0), shape.dim(2)});
  }

  struct Run {
    ValueId output;                    // [T, N, P]
    ValueId hidden;                    // [1, N, P]
    ValueId cell = backend::kNoValue;  // [1, N, H]
  };

  Run RunDirection(Lowering& lowering, ValueId src, int64_t row, bool reverse) const {
    const Shape shape = lowering.shape(src);
    const int64_t steps = shape.dim(0);
    const int64_t batch = shape.dim(1);
    int next = static_cast<int>(row * WeightsPerDirection());
    const auto parameter = [&](bool there) {
      return there ? lowering.Parameter(next++) : backend::kNoValue;
    };
    std::vector<ValueId> inputs{src,
                                parameter(true),
                                parameter(true),
                                parameter(bias_),
                                parameter(bias_),
                                parameter(proj_size_ > 0)};
    inputs.push_back(InitialState(lowering, 1, row, batch));
    inputs.push_back(lstm() ? InitialState(lowering, 2, row, batch) : backend::kNoValue);
    const int64_t length = steps * batch * state();
    const int64_t packed_length = length + (lstm() ? batch * hidden_size_ : 0);
    const ValueId packed = lowering.Add(backend::Recurrent{.cell = cell_, .reverse = reverse},
                                        std::move(inputs), Shape{packed_length});
    Run run{};
    run.output = lowering.Reshape(Part(lowering, packed, 0, length), Shape{steps, batch, state()});
    const Shape last{1, batch, state()};
    run.hidden = lowering.Add(backend::Slice{{reverse ? 0 : steps - 1, 0, 0}}, {run.output}, last);
    if (lstm()) {
      run.cell = lowering.Reshape(Part(lowering, packed, length, packed_length - length),
                                  Shape{1, batch, hidden_size_});
    }
    return run;
  }

  static ValueId Part(Lowering& lowering, ValueId packed, int64_t begin, int64_t length) {
    if (begin == 0 && length == lowering.shape(packed).dim(0)) return packed;
    return lowering.Add(backend::Slice{{begin}}, {packed}, Shape{length});
  }

  // Row `row` of an initial state as [N, size], or nothing.
  static ValueId InitialState(Lowering& lowering, int input, int64_t row, int64_t batch) {
    if (input >= lowering.input_count()) return backend::kNoValue;
    const ValueId all = lowering.input(input);
    const Shape shape = lowering.shape(all);
    const int64_t size = shape.dim(-1);
    const ValueId rows = lowering.Reshape(all, Shape{shape.dim(0), batch, size});
    const ValueId one = lowering.Add(backend::Slice{{row, 0, 0}}, {rows}, Shape{1, batch, size});
    return lowering.Reshape(one, Shape{batch, size});
  }

  static ValueId Joined(Lowering& lowering, const std::vector<ValueId>& parts, int axis) {
    if (parts.size() == 1) return parts.front();
    Shape shape = lowering.shape(parts.front());
    shape.set_dim(axis, shape.dim(axis) * static_cast<int64_t>(parts.size()));
    return lowering.Add(backend::Concat{.axis = axis}, parts, shape);
  }

  ValueId States(Lowering& lowering, const std::vector<ValueId>& rows, int64_t size) const {
    const ValueId all = Joined(lowering, rows, 0);
    return lowering.Reshape(all, StateShape(lowering.shape(lowering.input(0)), size));
  }

  Cell cell_;
  int64_t hidden_size_;
  int64_t num_layers_;
  bool bias_;
  bool batch_first_;
  double dropout_;
  int64_t directions_;
  int64_t proj_size_;
};

}  // namespace

int64_t GateCount(Cell cell) { return cell == Cell::kLstm ? 4 : cell == Cell::kGru ? 3 : 1; }

Cell RnnCellOf(AttributeReader& reader) {
  const std::string nonlinearity = reader.String("nonlinearity", "tanh");
  reader.Require(nonlinearity == "tanh" || nonlinearity == "relu",
                 fmt::format("argument nonlinearity wants tanh or relu, got {}", nonlinearity));
  return nonlinearity == "relu" ? Cell::kRnnRelu : Cell::kRnnTanh;
}

std::unique_ptr<const Layer> MakeRnn(AttributeReader& reader) {
  return std::make_unique<Recurrent>(RnnCellOf(reader), reader);
}

std::unique_ptr<const Layer> MakeLstm(AttributeReader& reader) {
  return std::make_unique<Recurrent>(Cell::kLstm, reader);
}

std::unique_ptr<const Layer> MakeGru(AttributeReader& reader) {
  return std::make_unique<Recurrent>(Cell::kGru, reader);
}

}  // namespace lazynet::nn
