#include "engine/backend/op.h"

namespace lazynet::backend {
namespace {

struct NameOf {
  std::string_view operator()(const InnerProduct&) const { return "inner_product"; }
  std::string_view operator()(const MatMul&) const { return "matmul"; }
  std::string_view operator()(const Convolution&) const { return "convolution"; }
  std::string_view operator()(const Deconvolution&) const { return "deconvolution"; }
  std::string_view operator()(const Pooling&) const { return "pooling"; }
  std::string_view operator()(const AdaptiveAveragePooling&) const { return "adaptive_pooling"; }
  std::string_view operator()(const AdaptiveMaxPooling&) const { return "adaptive_max_pooling"; }
  std::string_view operator()(const Resampling&) const { return "resampling"; }
  std::string_view operator()(const Unfold&) const { return "unfold"; }
  std::string_view operator()(const Fold&) const { return "fold"; }
  std::string_view operator()(const Normalization&) const { return "normalization"; }
  std::string_view operator()(const LocalResponseNormalization&) const { return "lrn"; }
  std::string_view operator()(const LayerNormalization&) const { return "layer_normalization"; }
  std::string_view operator()(const Softmax&) const { return "softmax"; }
  std::string_view operator()(const Eltwise&) const { return "eltwise"; }
  std::string_view operator()(const Prelu&) const { return "prelu"; }
  std::string_view operator()(const Binary&) const { return "binary"; }
  std::string_view operator()(const Concat&) const { return "concat"; }
  std::string_view operator()(const Pad&) const { return "pad"; }
  std::string_view operator()(const Permute&) const { return "permute"; }
  std::string_view operator()(const Slice&) const { return "slice"; }
  std::string_view operator()(const Expand&) const { return "expand"; }
  std::string_view operator()(const Triangle&) const { return "triangle"; }
  std::string_view operator()(const Reshape&) const { return "reshape"; }
  std::string_view operator()(const Cast&) const { return "cast"; }
  std::string_view operator()(const Gather&) const { return "gather"; }
  std::string_view operator()(const IndexSelect&) const { return "index_select"; }
  std::string_view operator()(const GatherAlong&) const { return "gather_along"; }
  std::string_view operator()(const EmbeddingBag&) const { return "embedding_bag"; }
  std::string_view operator()(const Recurrent&) const { return "recurrent"; }
  std::string_view operator()(const Where&) const { return "where"; }
  std::string_view operator()(const Reduction&) const { return "reduction"; }
  std::string_view operator()(const ArgReduction&) const { return "arg_reduction"; }
  std::string_view operator()(const TopK&) const { return "topk"; }
  std::string_view operator()(const Cumsum&) const { return "cumsum"; }
};

}  // namespace

bool IsProduct(const OpKind& kind) {
  return std::holds_alternative<Convolution>(kind) || std::holds_alternative<Deconvolution>(kind) ||
         std::holds_alternative<InnerProduct>(kind) || std::holds_alternative<MatMul>(kind);
}

std::string_view Name(const OpKind& kind) { return std::visit(NameOf{}, kind); }

}  // namespace lazynet::backend
