#include "engine/plan/lowering.h"

#include <utility>
#include <vector>

namespace lazynet::plan {
namespace {

using backend::ValueId;

class GraphBuilder {
 public:
  GraphBuilder(const nn::Network& network, const nn::ParameterSet& parameters,
               const nn::Inference& inference)
      : network_(network), parameters_(parameters), outputs_(network.nodes().size()) {
    for (size_t i = 0; i < network.inputs().size(); ++i) {
      graph_.AddInput(network.inputs()[i].dtype, inference.inputs[i]);
    }
  }

  backend::Graph Build() {
    for (const int node : network_.execution_order()) {
      NodeLowering lowering(*this, node);
      outputs_[static_cast<size_t>(node)] =
          network_.nodes()[static_cast<size_t>(node)].layer->Lower(lowering);
    }
    for (const nn::NetworkOutput& output : network_.outputs()) {
      graph_.outputs.push_back(Find(output.source));
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
      return builder_.parameters_.sizes()[static_cast<size_t>(node_)];
    }
    ValueId Parameter(int index) override {
      const Tensor& tensor = builder_.parameters_.value(node_, index)->tensor;
      return builder_.graph_.AddConstant(
          tensor.dtype(), tensor.shape(),
          {node().ParameterName(index), [tensor] { return absl::StatusOr<Tensor>(tensor); }});
    }
    ValueId Add(backend::OpKind kind, std::vector<ValueId> inputs, Shape output) override {
      return builder_.graph_.AddOp(std::move(kind), std::move(inputs), std::move(output),
                                   node().name);
    }

   private:
    const nn::Node& node() const { return builder_.network_.nodes()[static_cast<size_t>(node_)]; }

    GraphBuilder& builder_;
    int node_;
  };

  ValueId Find(nn::ValueRef ref) const {
    const auto at = static_cast<size_t>(ref.index);
    return ref.kind == nn::ValueRef::Kind::kInput ? graph_.inputs[at] : outputs_[at];
  }

  const nn::Network& network_;
  const nn::ParameterSet& parameters_;
  backend::Graph graph_;
  std::vector<ValueId> outputs_;  // per node
};

}  // namespace

backend::Graph Lower(const nn::Network& network, const nn::ParameterSet& parameters,
                     const nn::Inference& inference) {
  return GraphBuilder(network, parameters, inference).Build();
}

}  // namespace lazynet::plan
