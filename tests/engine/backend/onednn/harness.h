#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "tests/support/run_op.h"

namespace lazynet::testing {

// The layouts that values come in from a network's other ops.
enum class Arrival { kDense, kChannelsLast, kBlocked8, kBlocked16 };
inline constexpr Arrival kArrivals[] = {Arrival::kDense, Arrival::kChannelsLast, Arrival::kBlocked8,
                                        Arrival::kBlocked16};

std::string Name(Arrival arrival);
backend::LayoutPtr LayoutOf(Arrival arrival, const Shape& shape, DType dtype = DType::kFp32);

// The oneDNN backend alone; what it leaves to its fallback is UNIMPLEMENTED.
const backend::Backend& Onednn();

// As RunOp on one thread, with the inputs of rank 3 and more arriving in a layout. Besides, fails
// where two runs of the kernel differ, where running in place differs, where an own kernel differs
// that is prepared for three threads, and where the padding of a blocked output is not zero.
absl::StatusOr<OpResult> RunArrived(backend::OpKind kind, const std::vector<OpInput>& inputs,
                                    const Shape& output_shape, Arrival arrival,
                                    std::optional<DType> output_dtype = std::nullopt);

// Runs in every layout and compares with `want`: NaN with NaN, infinities by sign, others within
// `absolute` + `relative` * |want|. Returns the implementation for dense inputs.
std::string ExpectInAllLayouts(const backend::OpKind& kind, const std::vector<OpInput>& inputs,
                               const Shape& output_shape, const std::vector<double>& want,
                               double absolute, double relative = 0);

void ExpectNear(std::span<const float> got, const std::vector<double>& want, double absolute,
                double relative);

}  // namespace lazynet::testing
