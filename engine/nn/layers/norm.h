#pragma once

#include <optional>
#include <string>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// What BatchNorm and InstanceNorm share: arguments, parameters over num_features, and the op.
class Norm : public Layer {
 public:
  std::string Arguments(const Sizes& sizes) const override;

 protected:
  // `default_on`: the default of affine and track_running_stats.
  Norm(AttributeReader& reader, std::optional<int64_t> num_features, bool default_on);

  bool tracks() const { return tracks_; }
  bool affine() const { return affine_; }
  double eps() const { return eps_; }

  // Appends the normalization of a batched value [N, C, spatial...].
  backend::ValueId LowerNorm(Lowering& lowering, backend::ValueId src,
                             backend::Normalization::Statistics untracked) const;

 private:
  double eps_;
  double momentum_;
  bool affine_;
  bool tracks_;
  int weight_ = -1;  // indices of parameters, -1 where absent
  int bias_ = -1;
  int running_mean_ = -1;
  int running_var_ = -1;
};

}  // namespace lazynet::nn
