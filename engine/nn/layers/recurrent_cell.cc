#include "engine/nn/layers/recurrent_cell.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/fitting.h"
#include "engine/nn/layers/recurrent.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;
using Cell = backend::Recurrent::Cell;

class RecurrentCell : public Layer {
 public:
  RecurrentCell(Cell cell, AttributeReader& reader)
      : cell_(cell),
        hidden_size_(reader.RequiredInt("hidden_size", 1)),
        bias_(reader.Bool("bias", true)) {
    const Extent input = Extent::OfSize(AddSize("input_size", reader.Size("input_size")));
    const Extent gates = Extent::Of(GateCount(cell) * hidden_size_);
    const auto add = [&](const char* name, std::vector<Extent> extents) {
      AddParameter({.name = name,
                    .extents = std::move(extents),
                    .initial = {.kind = InitialValue::Kind::kUniform,
                                .value = 1.0 / std::sqrt(static_cast<double>(hidden_size_))}});
    };
    add("weight_ih", {gates, input});
    add("weight_hh", {gates, Extent::Of(hidden_size_)});
    if (!bias_) return;
    add("bias_ih", {gates});
    add("bias_hh", {gates});
  }

  Arity arity() const override { return {.least = 1, .most = lstm() ? 3 : 2}; }

  std::vector<std::string> output_names() const override {
    if (lstm()) return {"h", "c"};
    return {"output"};
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    if (lstm() && inputs.size() == 2) return InvalidArgument("wants both states or none, got 1");
    const Shape& input = inputs[0];
    if (input.rank() != 1 && input.rank() != 2) {
      return InvalidArgument("wants a rank of 1 (unbatched) or 2, got shape {}", input.ToString());
    }
    RETURN_IF_ERROR(Resolve(0, input.dim(-1), sizes));
    Shape state = input;
    state.set_dim(-1, hidden_size_);
    for (const Shape& given : inputs.subspan(1)) {
      if (!MayEqual(given, state)) {
        return InvalidArgument("wants a state of shape {}, got {}", state.ToString(),
                               given.ToString());
      }
    }
    if (lstm()) return OutputShapes{state, state};
    return OutputShapes{state};
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape input = lowering.shape(lowering.input(0));
    const int64_t batch = input.rank() == 2 ? input.dim(0) : 1;
    const auto bias = [&](int index) {
      return bias_ ? lowering.Parameter(index) : backend::kNoValue;
    };
    const auto state = [&](int index) {
      if (index >= lowering.input_count()) return backend::kNoValue;
      return lowering.Reshape(lowering.input(index), Shape{batch, hidden_size_});
    };
    const int64_t length = batch * hidden_size_;
    const ValueId packed =
        lowering.Add(backend::Recurrent{.cell = cell_},
                     {lowering.Reshape(lowering.input(0), Shape{1, batch, input.dim(-1)}),
                      lowering.Parameter(0), lowering.Parameter(1), bias(2), bias(3),
                      backend::kNoValue, state(1), lstm() ? state(2) : backend::kNoValue},
                     Shape{lstm() ? 2 * length : length});
    Shape output = input;
    output.set_dim(-1, hidden_size_);
    if (!lstm()) return lowering.Reshape(packed, output);
    OutputValues outputs;
    for (const int64_t begin : {int64_t{0}, length}) {
      const ValueId part = lowering.Add(backend::Slice{{begin}}, {packed}, Shape{length});
      outputs.push_back(lowering.Reshape(part, output));
    }
    return outputs;
  }

  std::string Arguments(const Sizes& sizes) const override {
    return fmt::format("{}, {}{}", ReprSize(sizes, 0), hidden_size_, bias_ ? "" : ", bias=False");
  }

 private:
  bool lstm() const { return cell_ == Cell::kLstm; }

  Cell cell_;
  int64_t hidden_size_;
  bool bias_;
};

}  // namespace

std::unique_ptr<const Layer> MakeRnnCell(AttributeReader& reader) {
  return std::make_unique<RecurrentCell>(RnnCellOf(reader), reader);
}

std::unique_ptr<const Layer> MakeLstmCell(AttributeReader& reader) {
  return std::make_unique<RecurrentCell>(Cell::kLstm, reader);
}

std::unique_ptr<const Layer> MakeGruCell(AttributeReader& reader) {
  return std::make_unique<RecurrentCell>(Cell::kGru, reader);
}

}  // namespace lazynet::nn
