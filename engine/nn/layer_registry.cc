#include "engine/nn/layer_registry.h"

#include <functional>
#include <map>
#include <utility>

#include "engine/nn/layers/activation.h"
#include "engine/nn/layers/adaptive_pooling.h"
#include "engine/nn/layers/batch_norm.h"
#include "engine/nn/layers/bilinear.h"
#include "engine/nn/layers/binary.h"
#include "engine/nn/layers/concat.h"
#include "engine/nn/layers/convolution.h"
#include "engine/nn/layers/distance.h"
#include "engine/nn/layers/embedding.h"
#include "engine/nn/layers/embedding_bag.h"
#include "engine/nn/layers/flatten.h"
#include "engine/nn/layers/glu.h"
#include "engine/nn/layers/group_norm.h"
#include "engine/nn/layers/identity.h"
#include "engine/nn/layers/image_normalize.h"
#include "engine/nn/layers/indexing.h"
#include "engine/nn/layers/instance_norm.h"
#include "engine/nn/layers/layer_norm.h"
#include "engine/nn/layers/linear.h"
#include "engine/nn/layers/local_response_norm.h"
#include "engine/nn/layers/matmul.h"
#include "engine/nn/layers/multihead_attention.h"
#include "engine/nn/layers/order.h"
#include "engine/nn/layers/padding.h"
#include "engine/nn/layers/parameter.h"
#include "engine/nn/layers/patches.h"
#include "engine/nn/layers/permuting.h"
#include "engine/nn/layers/pooling.h"
#include "engine/nn/layers/prelu.h"
#include "engine/nn/layers/recurrent.h"
#include "engine/nn/layers/recurrent_cell.h"
#include "engine/nn/layers/reduction.h"
#include "engine/nn/layers/repeating.h"
#include "engine/nn/layers/resampling.h"
#include "engine/nn/layers/reshaping.h"
#include "engine/nn/layers/scaled_dot_product_attention.h"
#include "engine/nn/layers/slicing.h"
#include "engine/nn/layers/softmax.h"
#include "engine/nn/layers/splitting.h"
#include "engine/nn/layers/to.h"
#include "engine/nn/layers/transformer_layer.h"
#include "engine/nn/layers/transposed_convolution.h"
#include "engine/nn/layers/triangle.h"
#include "engine/nn/layers/unary.h"
#include "engine/nn/layers/where.h"

namespace lazynet::nn {
namespace {

using LayerPtr = std::unique_ptr<const Layer>;
using Factory = std::function<LayerPtr(AttributeReader&)>;

std::map<std::string, Factory, std::less<>> MakeRegistry() {
  std::map<std::string, Factory, std::less<>> registry;
  registry["Linear"] = MakeLinear;
  registry["Bilinear"] = MakeBilinear;
  registry["Embedding"] = MakeEmbedding;
  registry["EmbeddingBag"] = MakeEmbeddingBag;
  registry["PReLU"] = MakePrelu;
  registry["LayerNorm"] = MakeLayerNorm;
  registry["RMSNorm"] = MakeRmsNorm;
  registry["GroupNorm"] = MakeGroupNorm;
  registry["RNN"] = MakeRnn;
  registry["LSTM"] = MakeLstm;
  registry["GRU"] = MakeGru;
  registry["RNNCell"] = MakeRnnCell;
  registry["LSTMCell"] = MakeLstmCell;
  registry["GRUCell"] = MakeGruCell;
  registry["MultiheadAttention"] = MakeMultiheadAttention;
  registry["TransformerEncoderLayer"] = MakeTransformerEncoderLayer;
  registry["TransformerDecoderLayer"] = MakeTransformerDecoderLayer;
  registry["ScaledDotProductAttention"] = MakeScaledDotProductAttention;
  registry["To"] = MakeTo;
  registry["Flatten"] = MakeFlatten;
  registry["Identity"] = MakeIdentity;
  registry["Unflatten"] = MakeUnflatten;
  registry["Reshape"] = MakeReshape;
  registry["Permute"] = MakePermute;
  registry["Transpose"] = MakeTranspose;
  registry["Squeeze"] = MakeSqueeze;
  registry["Unsqueeze"] = MakeUnsqueeze;
  registry["Expand"] = MakeExpand;
  registry["Repeat"] = MakeRepeat;
  registry["RepeatInterleave"] = MakeRepeatInterleave;
  registry["Slice"] = MakeSlice;
  registry["Select"] = MakeSelect;
  registry["Flip"] = MakeFlip;
  registry["Roll"] = MakeRoll;
  registry["Chunk"] = MakeChunk;
  registry["Split"] = MakeSplit;
  registry["Unbind"] = MakeUnbind;
  registry["IndexSelect"] = MakeIndexSelect;
  registry["Gather"] = MakeGather;
  registry["PixelShuffle"] = MakePixelShuffle;
  registry["PixelUnshuffle"] = MakePixelUnshuffle;
  registry["ChannelShuffle"] = MakeChannelShuffle;
  registry["Unfold"] = MakeUnfold;
  registry["Fold"] = MakeFold;
  registry["Tril"] = [](AttributeReader& r) { return MakeTriangle(false, r); };
  registry["Triu"] = [](AttributeReader& r) { return MakeTriangle(true, r); };
  registry["Pad"] = MakePad;
  registry["Upsample"] = MakeUpsample;
  registry["UpsamplingNearest2d"] = [](AttributeReader& r) {
    return MakeUpsampling2d("nearest", r);
  };
  registry["UpsamplingBilinear2d"] = [](AttributeReader& r) {
    return MakeUpsampling2d("bilinear", r);
  };
  registry["LocalResponseNorm"] = MakeLocalResponseNorm;
  registry["LPPool1d"] = [](AttributeReader& r) { return MakeLpPool(1, r); };
  registry["LPPool2d"] = [](AttributeReader& r) { return MakeLpPool(2, r); };
  registry["Stack"] = MakeStack;
  registry["Concat"] = MakeConcat;
  registry["Parameter"] = MakeParameter;
  registry["CosineSimilarity"] = MakeCosineSimilarity;
  registry["PairwiseDistance"] = MakePairwiseDistance;
  registry["Normalize"] = MakeNormalize;
  registry["GLU"] = MakeGlu;
  registry["ImageNormalize"] = MakeImageNormalize;
  registry["Where"] = MakeWhere;
  registry["MaskedFill"] = MakeMaskedFill;
  registry["Topk"] = MakeTopk;
  registry["Sort"] = MakeSort;
  registry["Cumsum"] = MakeCumsum;
  registry["Matmul"] = MakeMatmul;
  const std::pair<const char*, SoftmaxKind> softmaxes[] = {{"Softmax", SoftmaxKind::kSoftmax},
                                                           {"LogSoftmax", SoftmaxKind::kLogSoftmax},
                                                           {"Softmin", SoftmaxKind::kSoftmin},
                                                           {"Softmax2d", SoftmaxKind::kSoftmax2d}};
  for (const auto& [name, kind] : softmaxes) {
    registry[name] = [kind = kind](AttributeReader& r) { return MakeSoftmax(kind, r); };
  }
  for (const char* name :
       {"Dropout", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"}) {
    registry[name] = [](AttributeReader& r) { return MakeDropout(false, r); };
  }
  registry["Dropout1d"] = [](AttributeReader& r) { return MakeDropout(true, r); };
  // Files of many types, which know their names.
  using TypedFactory = LayerPtr (*)(std::string_view, AttributeReader&);
  const std::pair<std::vector<std::string_view>, TypedFactory> typed[] = {
      {ActivationTypes(), MakeActivation},
      {BinaryTypes(), MakeBinary},
      {UnaryTypes(), MakeUnary},
      {ReductionTypes(), MakeReduction}};
  for (const auto& [types, make] : typed) {
    for (const std::string_view type : types) {
      registry[std::string(type)] = [make = make, type](AttributeReader& r) {
        return make(type, r);
      };
    }
  }
  using SpatialFactory = LayerPtr (*)(int, AttributeReader&);
  const std::pair<const char*, SpatialFactory> spatial[] = {
      {"Conv", MakeConvolution},
      {"ConvTranspose", MakeTransposedConvolution},
      {"BatchNorm", MakeBatchNorm},
      {"InstanceNorm", MakeInstanceNorm},
      {"MaxPool", MakeMaxPool},
      {"AvgPool", MakeAvgPool},
      {"AdaptiveAvgPool", MakeAdaptiveAvgPool},
      {"AdaptiveMaxPool", MakeAdaptiveMaxPool}};
  for (const auto& [name, make] : spatial) {
    for (int axes = 1; axes <= 3; ++axes) {
      registry[fmt::format("{}{}d", name, axes)] = [make = make, axes](AttributeReader& r) {
        return make(axes, r);
      };
    }
  }
  const std::pair<const char*, const char*> pads[] = {{"Constant", "constant"},
                                                      {"Zero", "zero"},
                                                      {"Reflection", "reflect"},
                                                      {"Replication", "replicate"},
                                                      {"Circular", "circular"}};
  for (const auto& [name, mode] : pads) {
    for (int axes = 1; axes <= 3; ++axes) {
      registry[fmt::format("{}Pad{}d", name, axes)] = [mode = mode, axes](AttributeReader& r) {
        return MakePadding(mode, axes, r);
      };
    }
  }
  return registry;
}

const std::map<std::string, Factory, std::less<>>& Registry() {
  static const auto* registry = new std::map<std::string, Factory, std::less<>>(MakeRegistry());
  return *registry;
}

}  // namespace

absl::StatusOr<LayerPtr> MakeLayer(std::string_view type, const Attributes& attributes) {
  const auto found = Registry().find(type);
  if (found == Registry().end()) return InvalidArgument("unknown layer type {}", type);
  AttributeReader reader(attributes);
  LayerPtr layer = found->second(reader);
  RETURN_IF_ERROR(reader.Finish());
  return layer;
}

std::vector<std::string> LayerTypes() {
  std::vector<std::string> types;
  for (const auto& [type, factory] : Registry()) types.push_back(type);
  return types;
}

}  // namespace lazynet::nn
