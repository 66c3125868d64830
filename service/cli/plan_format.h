#pragma once

#include <string>
#include <vector>

#include "engine/core/status.h"
#include "proto/lazynet/v1/lazynet.pb.h"

// What all reports of a plan have in common.
namespace lazynet::cli {

// Whether every step reads what inputs, constants or steps before it write: reports count on it.
absl::Status CheckPlan(const v1::DescribePlanResponse& plan);

// Of a whole run, all groups together.
struct PlanTotals {
  double flops = 0;
  double bytes_read = 0;
  double bytes_written = 0;
  double estimated_microseconds = 0;
  // The sum over the steps; 0 if they were not measured.
  double measured_microseconds = 0;
};
PlanTotals Totals(const v1::DescribePlanResponse& plan);

// The steps of one kind of op, those with the same first op.
struct OpSum {
  std::string op;
  int steps = 0;
  double flops = 0;
  double microseconds = 0;
};
// The sums of a whole run, the longest first.
std::vector<OpSum> SumsByOp(const v1::DescribePlanResponse& plan);

// `convolution+add+relu`
std::string OpText(const v1::PlanStep& step);

// `1x64x56x56`, or `scalar`, as inputs are written.
std::string SizesText(const v1::PlanValue& value);

// `FP32 1x64x56x56 nhwc`
std::string ValueText(const v1::PlanValue& value);

// `12.3 us`, `1.23 ms`, `1.23 s`
std::string TimeText(double microseconds);

// `118`, `236.0 M`, `8.2 G`
std::string CountText(double count);

// `118 FLOP`, `236.0 MFLOP`
std::string WorkText(double flops);

// `187 GFLOP/s`, `2.4 GFLOP/s`; empty without work or time.
std::string RateText(double flops, double microseconds);

// What all calls of a step, each of so many microseconds, are of a whole run; 0 without one.
double Share(const v1::PlanStep& step, double microseconds, double whole);

// `12.3 %`; empty without a whole.
std::string ShareText(double part, double whole);

// `2 groups of 4 items, 1 group of 3 items, 2 at a time`, or empty for a batch that is run as a
// whole.
std::string GroupsText(const v1::DescribePlanResponse& plan);

}  // namespace lazynet::cli
