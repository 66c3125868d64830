#pragma once

#include <cstdint>

#include "engine/backend/onednn/own/isa.h"

namespace lazynet::backend::own {

// Normalization of each image and channel by its own mean and variance: dense FP32 src
// [images, channel blocks, elements, block], where block = 1 is row-major, block = C channels-last
// and others blocked; dst may be src. scale and shift have channel blocks * block elements.
// Row-major channels may share their statistics in groups of neighbours.
struct InstanceNormalization {
  int64_t images = 1;
  int64_t channel_blocks = 1;
  int64_t elements = 1;
  int64_t block = 1;
  int64_t group = 1;  // channels that share; more than 1 only where block is 1
  float eps = 0;
  const float* scale = nullptr;
  const float* shift = nullptr;
};

// Runs on one thread.
using InstanceNormalizationFunction = void (*)(const InstanceNormalization& op, const float* src,
                                               float* dst);
InstanceNormalizationFunction SelectInstanceNormalization(Isa isa);

}  // namespace lazynet::backend::own
