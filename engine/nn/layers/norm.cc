#include "engine/nn/layers/norm.h"

namespace lazynet::nn {

using Statistics = backend::Normalization::Statistics;

Norm::Norm(AttributeReader& reader, std::optional<int64_t> num_features, bool default_on)
    : eps_(reader.Double("eps", 1e-5)),
      momentum_(reader.Double("momentum", 0.1)),
      affine_(reader.Bool("affine", default_on)),
      tracks_(reader.Bool("track_running_stats", default_on)) {
  reader.Require(eps_ >= 0, fmt::format("argument eps wants at least 0, got {}", eps_));
  if (!affine_ && !tracks_) {
    // Nothing depends on the number of channels: any will do, as in PyTorch.
    if (num_features) AddSize("num_features", num_features);
    return;
  }
  const int size = AddSize("num_features", num_features);
  const auto add = [&](const char* name, double value, bool buffer) {
    return AddParameter({.name = name,
                         .extents = {Extent::OfSize(size)},
                         .initial = {.value = value},
                         .buffer = buffer});
  };
  if (affine_) {
    weight_ = add("weight", 1, false);
    bias_ = add("bias", 0, false);
  }
  if (tracks_) {
    running_mean_ = add("running_mean", 0, true);
    running_var_ = add("running_var", 1, true);
    AddParameter({.name = "num_batches_tracked", .buffer = true, .dtype = DType::kInt64});
  }
}

std::string Norm::Arguments(const Sizes& sizes) const {
  return fmt::format("{}, eps={}, momentum={}, affine={}, track_running_stats={}",
                     sizes.empty() ? 0 : ReprSize(sizes, 0), PythonFloat(eps_),
                     PythonFloat(momentum_), PythonBool(affine_), PythonBool(tracks_));
}

backend::ValueId Norm::LowerNorm(Lowering& lowering, backend::ValueId src,
                                 Statistics untracked) const {
  const auto parameter = [&](int index) {
    return index < 0 ? backend::kNoValue : lowering.Parameter(index);
  };
  return lowering.Add(
      backend::Normalization{.statistics = tracks_ ? Statistics::kGiven : untracked, .eps = eps_},
      {src, parameter(running_mean_), parameter(running_var_), parameter(weight_),
       parameter(bias_)},
      lowering.shape(src));
}

}  // namespace lazynet::nn
