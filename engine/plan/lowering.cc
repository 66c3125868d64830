#include "engine/plan/lowering.h"

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
  GraphBuilder(const nn::Network& network, const nn::ParameterSet& parameters,
               const nn::Inference& inference)
      : network_(network), parameters_(parameters), outputs_(network.nodes().size()) {
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
      return builder_.parameters_.sizes()[static_cast<size_t>(node().module)];
    }
    DType dtype() const override { return node().dtype; }
    ValueId Parameter(int index) override {
      return AddConstant(index, module().ParameterName(index), tensor(index));
    }
    ValueId ParameterPart(int index, int64_t begin, int64_t end, Shape shape) override {
      const Tensor& whole = tensor(index);
      const size_t row = whole.bytes() / static_cast<size_t>(whole.shape().dim(0));
      Tensor part = Tensor::Wrap(whole.dtype(), std::move(shape), std::make_shared<Tensor>(whole),
                                 whole.data() + static_cast<size_t>(begin) * row);
      LAZYNET_CHECK(part.bytes() == static_cast<size_t>(end - begin) * row);
      std::string key = fmt::format("{}[{}:{}]{}", module().ParameterName(index), begin, end,
                                    part.shape().ToString());
      return AddConstant(index, std::move(key), std::move(part));
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
    const Tensor& tensor(int index) const {
      return builder_.parameters_.value(node().module, index)->tensor;
    }
    ValueId AddConstant(int index, std::string key, Tensor tensor) {
      const DType dtype = ComputeDType(module().ParameterDType(index));
      const Shape shape = tensor.shape();
      return builder_.graph_.AddConstant(dtype, shape,
                                         {std::move(key), [tensor = std::move(tensor), dtype] {
                                            return Converted(tensor, dtype);
                                          }});
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
  const nn::ParameterSet& parameters_;
  backend::Graph graph_;
  std::vector<ValueId> inputs_;            // as they are computed with
  std::vector<nn::OutputValues> outputs_;  // per node
};

}  // namespace

backend::Graph Lower(const nn::Network& network, const nn::ParameterSet& parameters,
                     const nn::Inference& inference) {
  return GraphBuilder(network, parameters, inference).Build();
}

}  // namespace lazynet::plan
