#include "service/hosting/inference_statistics.h"

#include <gtest/gtest.h>

namespace lazynet::hosting {
namespace {

using std::chrono::nanoseconds;

TEST(InferenceStatistics, AddUp) {
  InferenceStatistics statistics;
  const RequestTimes times{.queue = nanoseconds(1),
                           .compute_input = nanoseconds(20),
                           .compute_infer = nanoseconds(300),
                           .compute_output = nanoseconds(4000),
                           .total = nanoseconds(5000),
                           .batch_size = 8,
                           .executions = 1};
  statistics.RecordSuccess(times, 4);
  RequestTimes in_the_same_batch = times;
  in_the_same_batch.executions = 0;
  statistics.RecordSuccess(in_the_same_batch, 4);
  statistics.RecordFailure(nanoseconds(7));
  const InferenceStatistics::Snapshot now = statistics.Read();
  EXPECT_EQ(now.items, 8u);
  EXPECT_EQ(now.executions, 1u);
  EXPECT_EQ(now.success.count, 2u);
  EXPECT_EQ(now.success.total, nanoseconds(10000));
  EXPECT_EQ(now.failure.count, 1u);
  EXPECT_EQ(now.failure.total, nanoseconds(7));
  EXPECT_EQ(now.queue.total, nanoseconds(2));
  EXPECT_EQ(now.stages.compute_input.total, nanoseconds(40));
  EXPECT_EQ(now.batches.at(8).compute_output.total, nanoseconds(4000));
}

// Or clients could fill the memory with them.
TEST(InferenceStatistics, TellApartOnlySoManyBatchSizes) {
  InferenceStatistics statistics;
  const auto record = [&](size_t size) {
    statistics.RecordSuccess({.batch_size = size, .executions = 1}, size);
  };
  for (size_t size = 1; size <= 1000; ++size) record(size);
  record(1);
  const InferenceStatistics::Snapshot now = statistics.Read();
  EXPECT_EQ(now.executions, 1001u);
  EXPECT_EQ(now.batches.size(), InferenceStatistics::kMostBatchSizes);
  EXPECT_EQ(now.batches.at(1).compute_infer.count, 2u);
}

}  // namespace
}  // namespace lazynet::hosting
