#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Upsample(size, scale_factor, mode="nearest", align_corners, recompute_scale_factor=False,
// antialias=False): F.interpolate with all its modes, of [N, C, spatial...]. Either size
// (expressions) or scale_factor is given, one number or one per spatial axis.
std::unique_ptr<const Layer> MakeUpsample(AttributeReader& reader);

// UpsamplingNearest2d and UpsamplingBilinear2d (size, scale_factor), the latter with aligned
// corners; `mode` as of Upsample.
std::unique_ptr<const Layer> MakeUpsampling2d(const char* mode, AttributeReader& reader);

}  // namespace lazynet::nn
