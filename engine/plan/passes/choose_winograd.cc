#include "engine/plan/passes/choose_winograd.h"

namespace lazynet::plan {

void ChooseWinograd(backend::Graph& graph, const backend::Backend& backend) {
  for (backend::Op& op : graph.ops) {
    auto* convolution = std::get_if<backend::Convolution>(&op.kind);
    if (convolution != nullptr) convolution->winograd = backend.HasWinograd(graph, op);
  }
}

}  // namespace lazynet::plan
