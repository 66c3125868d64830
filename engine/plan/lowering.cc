#include "engine/plan/lowering.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/core/convert.h"

namespace lazynet::plan {
namespace {

using backend::ValueId;

// 16-bit floats are a way to store: kernels compute them in FP32.
DType ComputeDType(DType dtype) {
  return dtype == DType::kFp16 || dtype == DType::kBf16 ? DType::kFp32 : dtype;
}

class GraphBuilder {
 public:
  // Without parameters constants have shapes only.
  GraphBuilder(const nn::Network& network, const nn::ParameterSet* parameters,
               const nn::Inference& inference)
      : network_(network),
        parameters_(parameters),
        sizes_(inference.sizes),
        outputs_(network.nodes().size()) {
    for (size_t i = 0; i < network.inputs().size(); ++i) {
      const DType dtype = network.inputs()[i].dtype;
      graph_.AddInput(dtype, inference.inputs[i]);
    }
    for (size_t i = 0; i < network.inputs().size(); ++i) {
      inputs_.push_back(
          AddCast(graph_.inputs[i], ComputeDType(network.inputs()[i].dtype), "input"));
    }
  }

  backend::Graph Build() {
    for (const int node : network_.execution_order()) {
      NodeLowering lowering(*this, node);
      outputs_[static_cast<size_t>(node)] =
          network_.nodes()[static_cast<size_t>(node)].layer->Lower(lowering);
    }
    for (const nn::NetworkOutput& output : network_.outputs()) {
      graph_.outputs.push_back(AddCast(Find(output.source), output.dtype, "output"));
    }
    return std::move(graph_);
  }

 private:
  class NodeLowering : public nn::Lowering {
   public:
    NodeLowering(GraphBuilder& builder, int node) : builder_(builder), node_(node) {}

    backend::Graph& graph() override { return builder_.graph_; }
    ValueId input(int index) const override {
      return builder_.Find(node().inputs[static_cast<size_t>(index)]);
    }
    int input_count() const override { return static_cast<int>(node().inputs.size()); }
    const nn::Sizes& sizes() const override {
      return builder_.sizes_[static_cast<size_t>(node().module)];
    }
    DType dtype() const override { return node().dtype; }
    ValueId Parameter(int index) override {
      return AddConstant(index, module().ParameterName(index), 0, ShapeOf(index));
    }
    ValueId ParameterPart(int index, int64_t begin, int64_t end, Shape shape) override {
      const Shape whole = ShapeOf(index);
      const int64_t row = whole.num_elements() / whole.dim(0);
      LAZYNET_CHECK(shape.num_elements() == (end - begin) * row);
      std::string key =
          fmt::format("{}[{}:{}]{}", module().ParameterName(index), begin, end, shape.ToString());
      return AddConstant(index, std::move(key), begin * row, std::move(shape));
    }
    ValueId Add(backend::OpKind kind, std::vector<ValueId> inputs, Shape output,
                std::optional<DType> dtype) override {
      return builder_.graph_.AddOp(std::move(kind), std::move(inputs), std::move(output),
                                   node().name, dtype);
    }
    ValueId Cast(ValueId src, DType dtype) override {
      const ValueId rounded = builder_.AddCast(src, dtype, node().name);
      return builder_.AddCast(rounded, ComputeDType(dtype), node().name);
    }

   private:
    const nn::Node& node() const { return builder_.network_.nodes()[static_cast<size_t>(node_)]; }
    const nn::Node& module() const {
      return builder_.network_.nodes()[static_cast<size_t>(node().module)];
    }
    Shape ShapeOf(int index) const {
      return module().layer->parameters()[static_cast<size_t>(index)].ShapeFor(sizes());
    }

    // The elements of a parameter from `offset` on.
    ValueId AddConstant(int index, std::string key, int64_t offset, const Shape& shape) {
      const DType stored = module().ParameterDType(index);
      const DType dtype = ComputeDType(stored);
      std::function<absl::StatusOr<Tensor>()> make = [] {
        return absl::StatusOr<Tensor>(Internal("a graph without parameters was run"));
      };
      if (builder_.parameters_ != nullptr) {
        const Tensor& whole = builder_.parameters_->value(node().module, index)->tensor;
        const auto bytes = static_cast<size_t>(offset) * SizeOf(stored);
        const Tensor part =
            Tensor::Wrap(stored, shape, std::make_shared<Tensor>(whole), whole.data() + bytes);
        make = [part, dtype] { return Converted(part, dtype); };
      }
      return builder_.graph_.AddConstant(dtype, shape, {std::move(key), std::move(make)});
    }

    GraphBuilder& builder_;
    int node_;
  };

  ValueId AddCast(ValueId src, DType dtype, const std::string& layer) {
    const backend::Value value = graph_.value(src);
    if (value.dtype == dtype) return src;
    return graph_.AddOp(backend::Cast{}, {src}, value.shape, layer, dtype);
  }

  ValueId Find(nn::ValueRef ref) const {
    const auto at = static_cast<size_t>(ref.index);
    return ref.kind == nn::ValueRef::Kind::kInput ? inputs_[at]
                                                  : outputs_[at][static_cast<size_t>(ref.output)];
  }

  const nn::Network& network_;
  const nn::ParameterSet* parameters_;
  const std::vector<nn::Sizes>& sizes_;
  backend::Graph graph_;
  std::vector<ValueId> inputs_;            // as they are computed with
  std::vector<nn::OutputValues> outputs_;  // per node
};

}  // namespace

backend::Graph Lower(const nn::Network& network, const nn::ParameterSet& parameters,
                     const nn::Inference& inference) {
  return GraphBuilder(network, &parameters, inference).Build();
}

backend::Graph LowerShapes(const nn::Network& network, const nn::Inference& inference) {
  return GraphBuilder(network, nullptr, inference).Build();
}

}  // namespace lazynet::plan
